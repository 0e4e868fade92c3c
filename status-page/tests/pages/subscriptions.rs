//! Subscriptions: a form that anybody may send, links that act only when a button is pressed, and what is told of.

use crate::{
    estate,
    stage::{Answer, Stage, get, post},
};
use axum::http::StatusCode;
use domain::{Configuration, Environment, Language, Maintenance, Pace, ReferenceKey, Situation, Text};
use std::time::Duration;
use store::{About, Letter, Subscribers};

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
const ADDRESS: &str = "dev%40example.wales";

async fn ask(stage: &Stage, form: &str) -> Answer {
    post(stage.public(), "/en/subscribe", FORM, form).await
}

impl Stage {
    async fn letter(&self) -> Option<Letter> {
        self.store.claim_letter(estate::now(), Duration::from_secs(60)).await.unwrap()
    }

    fn link(&self, letter: &Letter, act: &str) -> String {
        let key: ReferenceKey = self.situation.borrow().key.clone();
        format!("/subscriptions/{}/{act}?lang=en", letter.subscription.reference(&key))
    }

    async fn subscribers(&self) -> Subscribers {
        self.store.subscribers().await.unwrap()
    }
}

fn without_subscriptions(mut situation: Situation) -> Situation {
    let mut configuration = Configuration::clone(&situation.configuration);
    configuration.site.subscriptions = false;
    situation.configuration = configuration.into();
    situation
}

#[tokio::test]
async fn who_asks_is_asked_back_and_told_the_same_whether_they_are_known_or_not() {
    let stage = Stage::of(estate::trouble()).await;
    let form =
        format!("email={ADDRESS}&api=results&environment=production&kinds=incidents&pace=daily&language=cy");
    let first = ask(&stage, &form).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("cache-control"), "no-store");
    assert!(first.text().contains("Look into your mailbox"), "{}", first.text());
    assert!(!first.text().contains("example.wales<") && !first.text().contains("dev@"));
    let letter = stage.letter().await.unwrap();
    assert_eq!((letter.about.clone(), letter.wish.language), (About::Confirmation, Language::Cy));
    assert_eq!((letter.wish.pace, letter.wish.internal), (Pace::Daily, false));
    let confirmed = post(stage.public(), &stage.link(&letter, "confirm"), &[], "").await;
    assert_eq!(confirmed.status, StatusCode::OK);
    assert!(confirmed.text().contains("You will be told by e-mail"));
    assert_eq!(ask(&stage, &form).await, first, "now that it is known");
    assert_eq!(stage.subscribers().await, Subscribers { asked: 1, confirmed: 1, back: 0, due: 1 });
}

#[tokio::test]
async fn a_get_of_a_link_shows_a_button_and_never_acts() {
    let stage = Stage::of(estate::trouble()).await;
    ask(&stage, &format!("email={ADDRESS}")).await;
    let letter = stage.letter().await.unwrap();
    for act in ["confirm", "stop"] {
        let link = stage.link(&letter, act);
        let page = get(stage.public(), &link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let form = format!("method=\"post\" action=\"{link}\"");
        assert!(page.text().contains(&form), "{}", page.text());
        let welsh = get(stage.public(), &link.replace("lang=en", "lang=cy")).await;
        assert_eq!(welsh.header("content-language"), "cy");
        assert_eq!(stage.subscribers().await.asked, 1, "{act}");
    }
    // As mail programs do it (RFC 8058).
    let stopped =
        post(stage.public(), &stage.link(&letter, "stop"), FORM, "List-Unsubscribe=One-Click").await;
    assert_eq!(stopped.status, StatusCode::OK);
    assert_eq!(stage.subscribers().await, Subscribers::default());
    let again = post(stage.public(), &stage.link(&letter, "stop"), FORM, "").await;
    assert_eq!(again.status, StatusCode::OK, "pressed twice");
    let late = post(stage.public(), &stage.link(&letter, "confirm"), &[], "").await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(late.text().contains("This link is too old"));
}

#[tokio::test]
async fn a_link_that_was_guessed_is_a_page_that_is_not_there() {
    let stage = Stage::of(estate::trouble()).await;
    let missing = get(stage.public(), "/nothing").await;
    for guess in ["1-0123456789abcdefghjkmnpqrstvwxyz", "1", "x"] {
        assert_eq!(get(stage.public(), &format!("/subscriptions/{guess}/confirm")).await, missing);
    }
}

#[tokio::test]
async fn what_is_not_public_cannot_be_asked_for_from_outside() {
    let stage = Stage::of(estate::trouble()).await;
    let html = get(stage.public(), "/en/subscribe?api=results&environment=uat").await.text();
    assert!(!html.contains("UAT") && !html.contains("value=\"sit\""), "{html}");
    for place in ["environment=uat", "environment=zzz", "api=nothing"] {
        let wish = format!("email={ADDRESS}&{place}");
        let refused = post(stage.public(), "/en/subscribe", FORM, &wish).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "a wish for nothing is none for everything"
        );
    }
    assert!(stage.letter().await.is_none());
    let inside = format!("email={ADDRESS}&environment=uat");
    post(stage.internal(), "/en/subscribe", FORM, &inside).await;
    let letter = stage.letter().await.unwrap();
    assert_eq!((letter.wish.environment, letter.wish.internal), (Some(Environment::Uat), true));
}

#[tokio::test]
async fn a_wrong_address_is_said_beside_its_field_and_what_was_chosen_stays() {
    let stage = Stage::of(estate::trouble()).await;
    let wrong = ask(&stage, "email=dev&api=results&environment=production&language=cy").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let html = wrong.text();
    for word in [
        "<title>Not yet done: ",
        "role=\"alert\"",
        "aria-invalid=\"true\" aria-describedby=\"email-wrong\"",
        "<option value=\"results\" selected>",
        "<option value=\"cy\" lang=\"cy\" selected>",
    ] {
        assert!(html.contains(word), "{word}: {html}");
    }
    assert!(!html.contains("value=\"dev\""), "no address is on any page");
    assert_eq!(stage.subscribers().await, Subscribers::default());
}

#[tokio::test]
async fn who_waits_for_what_works_is_told_so_and_not_kept() {
    let stage = Stage::of(estate::trouble()).await;
    let down = get(stage.public(), "/en/apis/patient-demographics").await.text();
    let link = "/en/subscribe?api=patient-demographics&amp;environment=production&amp;when=back";
    assert!(down.contains(link), "{down}");
    let well = "api=results&environment=production&when=back";
    let answer = ask(&stage, &format!("email={ADDRESS}&{well}")).await;
    assert!(answer.text().contains("It works now"), "{}", answer.text());
    assert_eq!(stage.subscribers().await, Subscribers::default());
    let down = "api=patient-demographics&environment=production&when=back";
    let answer = ask(&stage, &format!("email={ADDRESS}&{down}")).await;
    assert!(answer.text().contains("You will get one e-mail when it works again"), "{}", answer.text());
    let waiting = stage.store.waiting_for().await.unwrap();
    let place = estate::instance("patient-demographics", Environment::Production);
    assert_eq!(waiting.iter().map(|(_, place, _)| place).collect::<Vec<_>>(), [&place]);
    assert!(!stage.site.works(&place, false));
    assert!(stage.site.works(&estate::instance("results", Environment::Production), false));
    assert!(!stage.site.works(&estate::instance("results", Environment::Uat), false), "the public sees none");
}

#[tokio::test]
async fn nobody_can_have_strangers_bombed() {
    let stage = Stage::of(estate::trouble()).await;
    let mut refused = 0;
    for n in 0..40 {
        let answer = ask(&stage, &format!("email=dev{n}%40example.wales")).await;
        refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn who_says_stop_again_and_again_is_not_asked_any_more_for_a_while() {
    let stage = Stage::of(estate::trouble()).await;
    for _ in 0..3 {
        ask(&stage, &format!("email={ADDRESS}")).await;
        let letter = stage.letter().await.expect("an e-mail that asks");
        post(stage.public(), &stage.link(&letter, "stop"), &[], "").await;
    }
    let other = ask(&stage, "email=other%40example.wales").await;
    let answer = ask(&stage, "email=Dev%2B9%40example.wales").await;
    assert_eq!(answer, other, "who asks is told nothing of it");
    assert_eq!(stage.subscribers().await, Subscribers { asked: 1, due: 1, ..Subscribers::default() });
}

#[tokio::test]
async fn a_page_of_others_cannot_ask_in_the_name_of_who_looks_at_it() {
    let stage = Stage::of(estate::trouble()).await;
    let form = format!("email={ADDRESS}");
    for (site, status) in [("cross-site", 400), ("same-site", 400), ("same-origin", 200), ("none", 200)] {
        let answer =
            post(stage.internal(), "/en/subscribe", &[FORM[0], ("sec-fetch-site", site)], &form).await;
        assert_eq!(answer.status.as_u16(), status, "{site}");
    }
    assert_eq!(stage.subscribers().await.asked, 1);
}

#[tokio::test]
async fn who_has_a_link_cannot_keep_the_database_busy_with_it() {
    let stage = Stage::of(estate::trouble()).await;
    ask(&stage, &format!("email={ADDRESS}")).await;
    let link = stage.link(&stage.letter().await.unwrap(), "confirm");
    let mut refused = 0;
    for _ in 0..200 {
        let answer = post(stage.public(), &link, &[], "").await;
        refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "its bucket holds thirty, and half a second refills one");
}

#[tokio::test]
async fn nobody_waits_for_what_there_is_not() {
    let stage = Stage::of(estate::trouble()).await;
    let answer = ask(&stage, &format!("email={ADDRESS}&api=invented&environment=production&when=back")).await;
    assert_ne!(answer.status, StatusCode::OK);
    assert_eq!(stage.subscribers().await, Subscribers::default());
}

#[tokio::test]
async fn with_the_database_gone_the_form_says_so() {
    let stage = Stage::of(estate::trouble()).await;
    stage.store.clone().close().await;
    assert_eq!(get(stage.public(), "/en/subscribe").await.status, StatusCode::OK);
    let answer = ask(&stage, &format!("email={ADDRESS}")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("This cannot be kept just now"), "{}", answer.text());
}

#[tokio::test]
async fn where_nobody_sends_e_mails_there_is_no_form() {
    let stage = Stage::of(without_subscriptions(estate::trouble())).await;
    let missing = get(stage.public(), "/en/nothing").await;
    assert_eq!(get(stage.public(), "/en/subscribe").await, missing);
    assert_eq!(ask(&stage, &format!("email={ADDRESS}")).await.status, StatusCode::NOT_FOUND);
    for path in ["/en", "/en/apis/patient-demographics", "/sitemap.xml"] {
        assert!(!get(stage.public(), path).await.text().contains("/en/subscribe"), "{path}");
    }
}

#[tokio::test]
async fn what_was_said_of_incidents_is_news_to_those_who_see_them() {
    let stage = Stage::of(estate::trouble()).await;
    let news = stage.site.news(|_| false).unwrap();
    let public: Vec<_> = news.iter().filter(|news| !news.internal).collect();
    assert!(!public.is_empty() && news.len() > public.len());
    for one in &public {
        let seen = |place: &domain::InstanceId| {
            matches!(place.environment, Environment::Production | Environment::Sandbox)
        };
        assert!(one.key.starts_with("public/") && one.places.iter().all(seen), "{one:?}");
        assert!(!one.says.en.contains("UAT") && one.says.cy.contains("https://statws.example.cymru/cy/"));
    }
    let first = public.iter().find(|news| news.key == "public/C-42/1").unwrap();
    assert_eq!(first.title.en, "Patient Demographics is not working in production");
    assert_eq!(first.title.cy, "Nid yw Demograffeg Cleifion yn gweithio yn yr amgylchedd byw");
    let known = stage.site.news(|key| key == "public/C-42/1").unwrap();
    assert_eq!(known.len() + 1, news.len());
}

#[tokio::test]
async fn planned_work_is_news_when_it_is_announced_when_it_begins_and_when_it_is_called_off() {
    let mut situation = estate::all_well();
    let work = Maintenance {
        id: 7,
        by: "Rhian".to_owned(),
        why: Text::new("A new database", "Cronfa ddata newydd"),
        announced_at: estate::ago(7_200),
        from: estate::ago(600),
        until: estate::ago(-3_600),
        ended_by: None,
        overran_at: None,
        environment: Environment::Production,
        api: Some(estate::instance("results", Environment::Production).api),
    };
    situation.maintenances.insert_mut(7, work.clone());
    situation.maintenances.insert_mut(
        8,
        Maintenance {
            id: 8,
            from: estate::ago(60),
            until: estate::ago(60),
            ended_by: Some("Tom".to_owned()),
            ..work.clone()
        },
    );
    situation.maintenances.insert_mut(9, Maintenance { id: 9, environment: Environment::Uat, ..work });
    let stage = Stage::of(situation).await;
    let news = stage.site.news(|_| false).unwrap();
    let mut keys: Vec<&str> =
        news.iter().filter(|news| !news.internal).map(|news| news.key.as_str()).collect();
    keys.sort_unstable();
    let called_off = ["public/work-8/announced", "public/work-8/ended"];
    assert_eq!(keys, [&["public/work-7/announced", "public/work-7/begins"], &called_off[..]].concat());
    let begins = news.iter().find(|news| news.key == "public/work-7/begins").unwrap();
    assert!(begins.planned);
    assert!(
        begins.title.en.starts_with("Planned work begins: ") && begins.title.en.ends_with(", Production")
    );
    assert!(begins.says.cy.contains("Cronfa ddata newydd"), "{}", begins.says.cy);
    assert!(news.iter().any(|news| news.key == "internal/work-9/begins"));
}
