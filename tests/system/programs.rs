//! A team is told in its chat, by its program and by its pager, and a person is called through a program of their own: whatever
//! of it fails, and whatever dies, each hears it once, or is told that it is a repeat.

use crate::{
    database::{On, on_both},
    outage::{all_well, nia_first, place_on_with},
    program::{PATIENCE, Place, Program, client, now, text, world},
};
use simulator::{Answer, Fault, HookEvent, Programs, Trouble, World, answer};
use std::{ffi::OsStr, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

const API: &str = "patient-demographics";

on_both!(
    a_team_hears_by_every_way_it_has_that_trouble_began_is_taken_and_is_over,
    what_was_taken_without_an_answer_is_told_again_after_a_crash_and_no_alert_stays_open,
    who_is_called_through_a_program_of_their_own_answers_by_its_link
);

#[cfg(debug_assertions)]
on_both!(wherever_it_dies_while_it_tells_each_hears_it_once_or_that_it_is_a_repeat);

struct Told {
    programs: Programs,
    serving: JoinSet<std::io::Result<()>>,
    place: Place,
}

/// The team has a chat, a program and a pager, and Nia a program; nobody else is called soon.
async fn told(on: On, world: &World) -> Told {
    let programs = Programs::new(Arc::new(now));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (mut serving, router) = (JoinSet::new(), programs.router());
    serving.spawn(async move { axum::serve(listener, router).await });
    let hook = format!("webhook: {{ url: \"{url}{}\", secret: \"file:secrets/hook\" }}", Programs::HOOK);
    let place = place_on_with(on, world, |text| {
        let pager = format!("pagerduty: {{ url: \"{url}\", routing_key: \"file:secrets/pager\" }}");
        nia_first(&text)
            .replace("after: 2s", "after: 10m")
            .replace("after: 20s", "after: 20m")
            .replace("by: [text, email]", "by: [webhook, text]")
            .replace(
                "email: demographics@team.example",
                &format!("email: demographics@team.example, chat: \"file:secrets/chat\", {hook}, {pager}"),
            )
            .replace("text: \"file:secrets/nia-text\"", &format!("text: \"file:secrets/nia-text\", {hook}"))
    });
    place.write("secrets/hook", Programs::SECRET);
    place.write("secrets/pager", Programs::ROUTING_KEY);
    place.write("secrets/chat", &format!("{url}{}", Programs::WORKFLOW));
    Told { programs, serving, place }
}

impl Told {
    fn of(&self, kind: &str) -> Vec<HookEvent> {
        self.programs.events().into_iter().filter(|event| event.body["type"] == kind).collect()
    }

    async fn event(&self, program: &mut Program, kind: &str) -> HookEvent {
        let waits = || async { !self.of(kind).is_empty() };
        program.wait_within(PATIENCE, waits, kind).await;
        self.of(kind).swap_remove(0)
    }

    async fn alert_is(&self, program: &mut Program, state: &str) {
        let is = || async { self.programs.alerts().values().any(|alert| alert.state == state) };
        program.wait_within(PATIENCE, is, &format!("the alert to be {state}")).await;
        assert_eq!(self.programs.alerts().len(), 1, "{:?}", self.programs.alerts());
    }

    fn start(&self) -> Program {
        self.place.serve_with(&[("CURIAD_CRASH_LEASE", OsStr::new("2"))])
    }
}

async fn nothing_waits(program: &mut Program) {
    let metrics = program.internal("/metrics");
    let settled = || async { text(&metrics).await.lines().any(|line| line == "curiad_outbox_waiting 0") };
    program.wait(settled, "everything to be told").await;
}

async fn a_team_hears_by_every_way_it_has_that_trouble_began_is_taken_and_is_over(on: On) {
    let world = world().await;
    let mut told = told(on, &world).await;
    let mut program = told.place.serve();
    all_well(&mut program).await;
    told.programs.set_trouble_for(Trouble::RateLimited, 4);
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    let opened = told.event(&mut program, "incident.opened").await;
    assert_eq!(opened.body["data"]["affects"][0]["api"], API);
    told.alert_is(&mut program, "triggered").await;
    program.wait(|| async { !told.programs.cards().is_empty() }, "the first card").await;
    let called = told.event(&mut program, "callout.made").await;
    let link = called.body["data"]["ack_url"].as_str().expect("a link").to_owned();
    assert_eq!(answer(&link, Answer::Mine).await.expect("an answer"), 200);
    told.event(&mut program, "incident.acknowledged").await;
    told.alert_is(&mut program, "acknowledged").await;

    world.set_fault(API, "production", Fault::None).await.expect("mended");
    told.event(&mut program, "incident.resolved").await;
    told.alert_is(&mut program, "resolved").await;
    nothing_waits(&mut program).await;
    for kind in ["incident.opened", "incident.acknowledged", "incident.resolved"] {
        assert_eq!(told.of(kind).len(), 1, "{kind}");
    }
    let cards: Vec<String> = told.programs.cards().iter().map(ToString::to_string).collect();
    let [began, taken, over] = cards.as_slice() else { panic!("three cards: {cards:?}") };
    assert!(began.contains("is not working") && taken.contains("Nia Rees has it now"), "{cards:?}");
    assert!(over.contains("It is over") && over.contains("Mae ar ben"), "{over}");
    assert!(told.programs.alerts().values().all(|alert| alert.paged == 1));
    let log = std::fs::read_to_string(told.place.log()).expect("a log");
    for secret in [Programs::ROUTING_KEY, Programs::SECRET, "the-signature-of-a-workflow"] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert!(program.terminate().await.success());
    for secret in [Programs::ROUTING_KEY, Programs::SECRET, "the-signature-of-a-workflow"] {
        assert!(!told.place.stored().contains(secret), "{secret}");
    }
    told.serving.shutdown().await;
    world.stop().await;
}

async fn what_was_taken_without_an_answer_is_told_again_after_a_crash_and_no_alert_stays_open(on: On) {
    let world = world().await;
    let mut told = told(on, &world).await;
    let mut program = told.start();
    all_well(&mut program).await;
    told.programs.set_trouble(Trouble::AcceptThenTimeOut);
    world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
    told.event(&mut program, "incident.opened").await;
    told.event(&mut program, "callout.made").await;
    told.alert_is(&mut program, "triggered").await;
    program.kill();
    world.set_fault(API, "production", Fault::None).await.expect("mended");
    told.programs.set_trouble(Trouble::None);

    let mut program = told.start();
    program.ready().await;
    told.event(&mut program, "incident.resolved").await;
    told.alert_is(&mut program, "resolved").await;
    nothing_waits(&mut program).await;
    told.alert_is(&mut program, "resolved").await;
    let opened = told.of("incident.opened");
    assert!(opened.len() == 1 && opened[0].times > 1, "one by its id: {opened:?}");
    let called = told.of("callout.made");
    assert!(called.iter().all(|call| call.times < 10), "{called:?}");
    let cards: Vec<String> = told.programs.cards().iter().map(ToString::to_string).collect();
    let repeats = cards.iter().filter(|card| card.contains("(repeat)")).count();
    assert!(!cards[0].contains("(repeat)") && repeats >= 1, "{cards:?}");
    assert!(program.terminate().await.success());
    told.serving.shutdown().await;
    world.stop().await;
}

async fn who_is_called_through_a_program_of_their_own_answers_by_its_link(on: On) {
    let world = world().await;
    let mut told = told(on, &world).await;
    let mut program = told.place.serve();
    all_well(&mut program).await;
    let ran = told.place.run(&["callout", "test", "nia.rees", "--no-wait", "--by", "Ann Hughes"]).await;
    assert_eq!(ran.out, "Nia Rees is called, for a test\n", "{ran:?}");
    let test = told.event(&mut program, "callout.made").await;
    assert_eq!((&test.body["data"]["test"], &test.body["data"]["language"]), (&true.into(), &"cy".into()));
    let link = test.body["data"]["ack_url"].as_str().expect("a link").to_owned();
    let looked = client().get(&link).send().await.expect("an answer");
    assert_eq!(looked.status(), 200);
    let never = told.place.run(&["rota", "show", "platform"]).await;
    assert!(never.out.contains("webhook never"), "looking answers nothing: {never:?}");
    assert_eq!(answer(&link, Answer::Mine).await.expect("an answer"), 200);
    let proved = || async {
        let shown = told.place.run(&["rota", "show", "platform"]).await;
        shown.out.lines().any(|line| {
            line.starts_with("Nia Rees last") && line.contains("webhook ") && !line.contains("webhook never")
        })
    };
    program.wait(proved, "it to be known that it reaches her").await;
    let doctor = told.place.run(&["--json", "doctor"]).await;
    for what in ["nia.rees's webhook", "the team demographics's chat", "the team demographics's PagerDuty"] {
        let found = doctor.json();
        let all = found.as_array().expect("an array");
        let one = all.iter().find(|one| one["what"] == what).unwrap_or_else(|| panic!("{what}: {found:#}"));
        assert_eq!(one["state"], "ok", "{one}");
    }
    let asked = told.programs.asked();
    told.place.run(&["doctor"]).await;
    assert_eq!(told.programs.asked(), asked, "nobody is disturbed");
    assert!(program.terminate().await.success());
    told.serving.shutdown().await;
    world.stop().await;
}

/// Of what goes out at once, now one and now another is under way at its death.
#[cfg(debug_assertions)]
async fn wherever_it_dies_while_it_tells_each_hears_it_once_or_that_it_is_a_repeat(on: On) {
    for point in
        ["deliverer/claimed:2", "webhook/before-send", "webhook/taken:2", "chat/taken", "pager/taken"]
    {
        let world = world().await;
        let mut told = told(on, &world).await;
        let lease = ("CURIAD_CRASH_LEASE", OsStr::new("2"));
        let mut doomed = told.place.serve_with(&[lease, ("CURIAD_CRASH_AT", OsStr::new(point))]);
        all_well(&mut doomed).await;
        world.set_fault(API, "production", Fault::Refuse).await.expect("a fault");
        assert!(!doomed.end().await.success(), "{point}");
        let mut program = told.start();
        program.ready().await;
        told.event(&mut program, "incident.opened").await;
        told.event(&mut program, "callout.made").await;
        told.alert_is(&mut program, "triggered").await;
        program.wait(|| async { !told.programs.cards().is_empty() }, "a card").await;
        nothing_waits(&mut program).await;
        assert_eq!(told.of("incident.opened").len(), 1, "{point}: one by its id");
        assert_eq!(told.of("callout.made").len(), 1, "{point}: one by its id");
        let cards: Vec<String> = told.programs.cards().iter().map(ToString::to_string).collect();
        let plain = cards.iter().filter(|card| !card.contains("(repeat)")).count();
        assert!(plain <= 1, "{point}: {cards:?}");
        assert!(told.programs.alerts().values().all(|alert| alert.paged == 1), "{point}");
        assert!(program.terminate().await.success());
        told.serving.shutdown().await;
        world.stop().await;
    }
}
