//! Serves pages made from Situations made by hand, to be looked at: `cargo run -p status-page --example look`.
//! Ports from 9700 up: all well, trouble, sixty APIs, one API, nothing yet, sixty with long names, all down, a shared certificate; each public, then
//! internal.
#![expect(clippy::unwrap_used, reason = "a tool for looking at pages; where it fails, it says so and stops")]

#[path = "../tests/pages/estate.rs"]
#[expect(clippy::indexing_slicing, reason = "made by hand: what it indexes is there")]
mod estate;

use domain::{
    Advice, Because, Cause, Clock, Effect, Environment, Kind, Layer, Phrases, Post, PostSays, Priority,
    ShownCertificate, Situation, Status, Text,
};
use status_page::{Options, Site, internal_router, public_router};
use std::{net::SocketAddr, sync::Arc};
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What services and health boards are called, where names are long.
const SERVICES: [(&str, &str, &str); 10] = [
    ("referrals", "Referrals and Appointments", "Atgyfeiriadau ac Apwyntiadau"),
    ("vaccinations", "Vaccination and Immunisation Record", "Cofnod Brechu ac Imiwneiddio"),
    ("pathology", "Pathology Results and Reports", "Canlyniadau ac Adroddiadau Patholeg"),
    ("radiology", "Radiology Requests", "Ceisiadau Radioleg"),
    ("prescriptions", "Electronic Prescriptions", "Presgripsiynau Electronig"),
    ("discharge", "Discharge Letters", "Llythyrau Rhyddhau"),
    ("maternity", "Maternity Record", "Cofnod Mamolaeth"),
    ("ambulance", "Ambulance Handover", "Trosglwyddo o Ambiwlans"),
    ("waiting", "Waiting Lists", "Rhestrau Aros"),
    ("consent", "Consent and Preferences", "Caniatâd a Dewisiadau"),
];
const BOARDS: [(&str, &str, &str); 6] = [
    ("ab", "Aneurin Bevan", "Bwrdd Iechyd Prifysgol Aneurin Bevan"),
    ("bc", "Betsi Cadwaladr", "Bwrdd Iechyd Prifysgol Betsi Cadwaladr"),
    ("cf", "Cardiff and Vale", "Bwrdd Iechyd Prifysgol Caerdydd a’r Fro"),
    ("ct", "Cwm Taf Morgannwg", "Bwrdd Iechyd Prifysgol Cwm Taf Morgannwg"),
    ("hd", "Hywel Dda", "Bwrdd Iechyd Prifysgol Hywel Dda"),
    ("po", "Powys Teaching", "Bwrdd Iechyd Addysgu Powys"),
];

/// Sixty APIs with names as long as they get; two of them in trouble.
fn sixty_with_long_names() -> Situation {
    let apis = BOARDS.iter().flat_map(|(board, en_board, cy_board)| {
        SERVICES.iter().map(move |(service, en, cy)| {
            let (en, cy) = (format!("{en}, {en_board}"), format!("{cy}, {cy_board}"));
            let mut api = estate::api(&format!("{service}-{board}"), &en, &cy, Kind::FhirR4);
            api.depends_on.clear();
            api
        })
    });
    let mut situation = estate::fresh(apis.collect());
    works(&mut situation);
    let (production, sandbox) = (Environment::Production, Environment::Sandbox);
    let gateway = Some(Layer::Gateway);
    estate::set(&mut situation, "vaccinations-bc", production, Status::MajorOutage, 4000, gateway);
    estate::set(&mut situation, "pathology-cf", production, Status::Degraded, 900, None);
    estate::set(&mut situation, "waiting-hd", sandbox, Status::PartialOutage, 7300, Some(Layer::Contract));
    situation
}

fn works(situation: &mut Situation) {
    let all: Vec<_> = situation.configuration.instances().collect();
    for id in all {
        estate::set(situation, id.api.as_str(), id.environment, Status::Operational, 40 * 86_400, None);
    }
}

/// Everything has failed at once, in every environment.
fn all_down() -> Situation {
    let mut situation = estate::all_well();
    let all: Vec<_> = situation.configuration.instances().collect();
    for id in &all {
        let layer = Some(Layer::Gateway);
        estate::set(&mut situation, id.api.as_str(), id.environment, Status::MajorOutage, 840, layer);
    }
    let mut storm = estate::trouble::incident(43, "identity", Environment::Production, 840);
    storm.cause = Cause::Storm(Environment::Production);
    storm.api = None;
    storm.affects = all.into_iter().filter(|id| id.environment == Environment::Production).collect();
    situation.incidents.insert_mut(storm.id, Arc::new(storm));
    situation
}

/// A certificate that has ended holds two back, and another fails now and again.
fn shared_certificate() -> Situation {
    let production = Environment::Production;
    let mut situation = estate::all_well();
    let mut certificate = estate::trouble::incident(44, "identity", production, 5_400);
    certificate.cause = Cause::Certificate(ShownCertificate {
        environment: production,
        fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
    });
    certificate.api = None;
    certificate.layer = Some(Layer::Tls);
    certificate.diagnosis = Text::new(
        "The certificate ended on 20 November 2026: it has to be replaced wherever it is shown (SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08).",
        "Daeth y dystysgrif i ben ar 20 Tachwedd 2026: rhaid ei hadnewid ble bynnag y’i dangosir (SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08).",
    );
    certificate.held_back = ["identity", "results"].map(|api| estate::instance(api, production)).into();
    certificate.affects = certificate.held_back.clone();
    let phrases = Phrases {
        because: Some(Because::Certificate),
        effect: Some(Effect::AllFail),
        words: None,
        advice: Some(Advice::Keep),
        next: Some(estate::now() + jiff::SignedDuration::from_mins(20)),
    };
    for post in &mut certificate.posts {
        post.says = PostSays::Investigating { status: Status::MajorOutage, layer: Some(Layer::Tls) };
    }
    certificate.posts.push(Post { at: estate::ago(600), says: PostSays::Phrases(phrases), by: None });
    for id in &certificate.held_back {
        estate::set(
            &mut situation,
            id.api.as_str(),
            production,
            Status::MajorOutage,
            5_400,
            Some(Layer::Tls),
        );
    }
    let burning = estate::instance("documents", production);
    let mut burn = estate::trouble::incident(45, "documents", production, 9_000);
    burn.cause = Cause::Burn(burning);
    burn.layer = None;
    burn.worst = Status::Degraded;
    burn.priority = Priority::P2;
    burn.major = None;
    burn.escalation = None;
    burn.posts.clear();
    burn.diagnosis = Text::new(
        "It fails now and again, each time for a while: by the last 6 h it uses up what its objective (99.9% in 30d) lets it miss 14 times too fast.",
        "Mae’n methu bob hyn a hyn, am ychydig bob tro: yn ôl y 6 awr ddiwethaf mae’n defnyddio’r hyn y caiff ei golli o’i amcan (99.9% mewn 30 diwrnod) 14 gwaith yn rhy gyflym.",
    );
    for incident in [certificate, burn] {
        situation.incidents.insert_mut(incident.id, Arc::new(incident));
    }
    situation
}

/// Serves each story on its own pair of ports from 9700 up, until interrupted.
#[tokio::main]
async fn main() {
    let stories: [(&str, Situation); 8] = [
        ("well", estate::all_well()),
        ("trouble", estate::trouble()),
        ("sixty", estate::sixty()),
        ("one", estate::one_api()),
        ("nothing", estate::fresh(vec![estate::api("results", "Results", "Canlyniadau", Kind::FhirR4)])),
        ("long", sixty_with_long_names()),
        ("down", all_down()),
        ("certificate", shared_certificate()),
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for (n, (name, situation)) in (0_u16..).zip(stories) {
        let store = Store::open("sqlite::memory:", [1; 32]).await.unwrap();
        if name != "nothing" {
            estate::past::remember(&store, &situation).await;
        }
        let (sender, receiver) = watch::channel(Arc::new(situation));
        let site = Site::new(receiver, store, Clock::new(estate::now), Options::default()).unwrap();
        tasks.spawn(site.clone().run(CancellationToken::new()));
        for (offset, router) in [(0, public_router(&site)), (1, internal_router(&site))] {
            let address = SocketAddr::from(([127, 0, 0, 1], 9700 + 2 * n + offset));
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            tasks.spawn(async move {
                let service = router.into_make_service_with_connect_info::<SocketAddr>();
                axum::serve(listener, service).await.unwrap();
            });
        }
        tasks.spawn(async move { sender.closed().await });
    }
    tasks.join_all().await;
}
