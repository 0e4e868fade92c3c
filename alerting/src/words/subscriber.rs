//! E-mails to people from outside, who asked for them: plain, in their language, with the way to end them.

use super::{Letter, facts::cut};
use domain::{Configuration, Kinds, Language, News, Pace, Wish};
use store::About;

/// Longest subject.
const SUBJECT: usize = 160;

/// Where the links of an e-mail lead.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) confirm: String,
    pub(crate) stop: String,
}

/// The links with a subscription's reference.
pub(crate) fn subscriber_links(configuration: &Configuration, language: Language, reference: &str) -> Links {
    let base = configuration.site.url.get(language).trim_end_matches('/');
    let link = |act: &str| format!("{base}/subscriptions/{reference}/{act}?lang={}", language.tag());
    Links { confirm: link("confirm"), stop: link("stop") }
}

/// What is sent.
pub(crate) fn subscriber(configuration: &Configuration, letter: &store::Letter, links: &Links) -> Letter {
    let language = letter.wish.language;
    let (subject, body) = match &letter.about {
        About::Confirmation => confirmation(configuration, &letter.wish, links),
        About::Back => back(configuration, &letter.wish),
        About::News(news) => told(configuration, news, language, links),
    };
    let subject: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Letter { subject: cut(&subject, SUBJECT), body: format!("{}\n", body.trim_end()) }
}

fn site(configuration: &Configuration, language: Language) -> &str {
    configuration.site.title.get(language)
}

fn api(configuration: &Configuration, wish: &Wish) -> Option<String> {
    let id = wish.api.as_ref()?;
    let api = configuration.apis.get(id);
    Some(api.map_or_else(|| id.to_string(), |api| api.name.get(wish.language).to_owned()))
}

fn confirmation(configuration: &Configuration, wish: &Wish, links: &Links) -> (String, String) {
    let language = wish.language;
    let (all_apis, all_environments) = match language {
        Language::En => ("all APIs", "all environments"),
        Language::Cy => ("pob API", "pob amgylchedd"),
    };
    let kinds = match (language, wish.kinds) {
        (Language::En, Kinds::All) => "incidents and planned work",
        (Language::En, Kinds::Incidents) => "incidents",
        (Language::En, Kinds::Planned) => "planned work",
        (Language::Cy, Kinds::All) => "digwyddiadau a gwaith wedi’i gynllunio",
        (Language::Cy, Kinds::Incidents) => "digwyddiadau",
        (Language::Cy, Kinds::Planned) => "gwaith wedi’i gynllunio",
    };
    let pace = match (language, wish.pace) {
        (Language::En, Pace::Immediate) => "at once",
        (Language::En, Pace::Daily) => "once a day",
        (Language::Cy, Pace::Immediate) => "ar unwaith",
        (Language::Cy, Pace::Daily) => "unwaith y dydd",
    };
    let wished = [
        api(configuration, wish).unwrap_or_else(|| all_apis.to_owned()),
        wish.environment.map_or_else(|| all_environments.to_owned(), |one| one.plain(language).to_owned()),
        kinds.to_owned(),
        pace.to_owned(),
    ]
    .join(", ");
    let (site, confirm, stop) = (site(configuration, language), &links.confirm, &links.stop);
    match language {
        Language::En => (
            format!("Was it you? E-mails from {site}"),
            format!(
                "Somebody, we hope it was you, asked for e-mails from {site}:\n{wished}.\n\n\
                 If it was you, open this page within 48 hours and press its button:\n{confirm}\n\n\
                 If it was not you, do nothing: no more comes, and your address is forgotten. To have it forgotten at once:\n{stop}"
            ),
        ),
        Language::Cy => (
            format!("Ai chi oedd yno? Negeseuon gan {site}"),
            format!(
                "Gofynnodd rhywun, chi gobeithio, am negeseuon e-bost gan {site}:\n{wished}.\n\n\
                 Os chi oedd yno, agorwch y dudalen hon o fewn 48 awr a phwyswch ei botwm:\n{confirm}\n\n\
                 Os nad chi oedd yno, peidiwch â gwneud dim: ni ddaw rhagor, a bydd eich cyfeiriad yn cael ei anghofio. \
                 I’w anghofio ar unwaith:\n{stop}"
            ),
        ),
    }
}

fn back(configuration: &Configuration, wish: &Wish) -> (String, String) {
    let language = wish.language;
    let name = api(configuration, wish).unwrap_or_default();
    let place = wish.environment.map_or("", |one| one.plain(language));
    let (site, url) = (site(configuration, language), configuration.site.url.get(language));
    match language {
        Language::En => (
            format!("{name} works again ({place})"),
            format!(
                "{name} works again ({place}), say our own checks.\n\n{site}: {url}\n\n\
                 You asked for this one e-mail. Your address is forgotten now."
            ),
        ),
        Language::Cy => (
            format!("Mae {name} yn gweithio eto ({place})"),
            format!(
                "Mae {name} yn gweithio eto ({place}), yn ôl ein gwiriadau ein hunain.\n\n{site}: {url}\n\n\
                 Gofynnoch am yr un neges hon. Mae eich cyfeiriad bellach wedi’i anghofio."
            ),
        ),
    }
}

fn told(configuration: &Configuration, news: &[News], language: Language, links: &Links) -> (String, String) {
    let newest = news.last().map_or("", |news| news.title.get(language));
    let more = news.len().saturating_sub(1);
    let subject = match (language, more) {
        (_, 0) => newest.to_owned(),
        (Language::En, more) => format!("{newest} (and {more} more)"),
        (Language::Cy, more) => format!("{newest} (a {more} arall)"),
    };
    let each: Vec<String> = news
        .iter()
        .map(|news| format!("{}\n{}", news.title.get(language), news.says.get(language)))
        .collect();
    let site = site(configuration, language);
    let footer = match language {
        Language::En => format!("You asked for e-mails from {site}. Unsubscribe: {}", links.stop),
        Language::Cy => format!("Gofynnoch am negeseuon gan {site}. Dad-danysgrifio: {}", links.stop),
    };
    (subject, format!("{}\n\n-- \n{footer}", each.join(&format!("\n\n{}\n\n", "-".repeat(60)))))
}
