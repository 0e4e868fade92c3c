//! Those who asked to be told: what is kept of them, what they are sent, and that it is sent once.

use crate::made::{Made, at, instance, results};
use crate::place::{On, on_both};
use domain::{
    ApiId, Environment, InstanceId, Kinds, Language, MailAddress, News, Pace, SubscriptionId, Text, Wish,
};
use jiff::tz::TimeZone;
use std::time::Duration;
use store::{About, Letter, Posted, Subscribed, Subscribers};

on_both!(
    who_confirms_is_told_and_who_does_not_is_forgotten,
    news_is_put_to_those_who_wish_for_it_once,
    what_was_claimed_says_the_same_until_it_is_settled_and_what_came_since_comes_next,
    who_waits_for_an_api_is_told_once_and_forgotten,
    nobody_gets_more_than_a_few_that_they_did_not_ask_for,
    whoever_waits_for_an_e_mail_gets_it_before_all_the_news,
    what_is_ended_or_confirmed_meanwhile_is_not_settled,
);

const LEASE: Duration = Duration::from_secs(60);
const HOUR: i64 = 3_600_000;

fn address(name: &str) -> MailAddress {
    MailAddress::parse(&format!("{name}@example.wales")).unwrap()
}

fn wish() -> Wish {
    Wish {
        language: Language::Cy,
        internal: false,
        api: None,
        environment: None,
        kinds: Kinds::All,
        pace: Pace::Immediate,
    }
}

fn news(key: &str, ms: i64, place: InstanceId) -> News {
    let words = Text::new(key, key);
    News {
        key: key.to_owned(),
        at: at(ms),
        internal: false,
        planned: false,
        places: vec![place],
        environment: Environment::Production,
        title: words.clone(),
        says: words,
    }
}

impl Made {
    async fn letter(&self, ms: i64) -> Option<Letter> {
        self.store.claim_letter(at(ms), LEASE).await.unwrap()
    }

    async fn settle(&self, letter: &Letter, ms: i64) -> bool {
        self.store.settle_letter(letter, Posted::Done { next: at(ms) }).await.unwrap()
    }

    /// Asks, gets the e-mail and confirms at `ms`.
    async fn confirmed(&self, name: &str, wish: &Wish, ms: i64) -> SubscriptionId {
        assert_eq!(self.store.subscribe(&address(name), wish, at(ms)).await.unwrap(), Subscribed::Taken);
        let letter = self.letter(ms).await.expect("an e-mail that asks");
        assert_eq!(letter.about, About::Confirmation);
        assert!(self.settle(&letter, ms).await);
        assert!(self.store.confirm(letter.subscription, at(ms)).await.unwrap());
        letter.subscription
    }

    async fn announce(&self, news: &[News], ms: i64) -> u64 {
        let mut due = 0;
        for news in news {
            due += self.store.announce(news, &TimeZone::UTC, at(ms)).await.unwrap();
        }
        due
    }
}

fn keys(letter: &Letter) -> Vec<&str> {
    match &letter.about {
        About::News(news) => news.iter().map(|news| news.key.as_str()).collect(),
        About::Confirmation | About::Back => panic!("no news: {letter:?}"),
    }
}

async fn who_confirms_is_told_and_who_does_not_is_forgotten(on: On) {
    let made = Made::new(on).await;
    let one = made.confirmed("one", &wish(), 1_000).await;
    made.store.subscribe(&address("two"), &wish(), at(1_000)).await.unwrap();
    let two = made.letter(1_000).await.unwrap();
    assert!(made.settle(&two, 1_000).await);
    let (kept, due) = (made.store.subscribers().await.unwrap(), made.letter(2_000).await);
    assert_eq!((kept, due), (Subscribers { asked: 1, confirmed: 1, back: 0, due: 0 }, None));
    assert_eq!(made.announce(&[news("public/C-1/1", 5_000, results())], 5_000).await, 1);
    let letter = made.letter(5_000).await.unwrap();
    assert_eq!((letter.subscription, letter.address.as_str()), (one, "one@example.wales"));
    assert_eq!(letter.wish, wish());
    assert!(!format!("{letter:?}").contains("example.wales"), "{letter:?}");
    let late = 1_000 + 48 * HOUR;
    assert!(!made.store.confirm(two.subscription, at(late)).await.unwrap(), "too late");
    made.store.forget_old(at(late)).await.unwrap();
    let left = made.store.subscribers().await.unwrap();
    assert_eq!((left.asked, left.confirmed), (0, 1));
    for _ in 0..2 {
        assert_eq!(made.store.unsubscribe(one).await.unwrap(), None, "they had confirmed it");
    }
    assert_eq!(made.again().await.store.subscribers().await.unwrap(), Subscribers::default());
}

async fn news_is_put_to_those_who_wish_for_it_once(on: On) {
    let made = Made::new(on).await;
    let of_results = Wish { api: Some(results().api), ..wish() };
    made.confirmed("one", &of_results, 1_000).await;
    made.confirmed("two", &Wish { kinds: Kinds::Planned, ..wish() }, 1_000).await;
    made.confirmed("three", &Wish { pace: Pace::Daily, ..wish() }, 1_000).await;
    let letters = instance("letters", Environment::Production);
    let all = [
        news("before", 999, results()),
        news("public/C-1/1", 2_000, results()),
        news("public/C-2/1", 2_000, letters),
    ];
    assert_eq!(made.announce(&all, 2_000).await, 3, "who confirmed after it is not told of it");
    assert_eq!(made.again().await.announce(&all, 3_000).await, 0, "told again, it is sent once");
}

async fn what_was_claimed_says_the_same_until_it_is_settled_and_what_came_since_comes_next(on: On) {
    let made = Made::new(on).await;
    made.confirmed("one", &wish(), 0).await;
    made.announce(&[news("a", 1_000, results()), news("b", 1_000, results())], 1_000).await;
    let first = made.letter(1_000).await.unwrap();
    assert_eq!(keys(&first), ["a", "b"]);
    assert_eq!(made.letter(2_000).await, None, "somebody sends it");
    made.announce(&[news("c", 3_000, results())], 3_000).await;
    // Whoever had it died.
    let again = made.letter(61_000).await.unwrap();
    assert_eq!((keys(&again), again.key()), (vec!["a", "b"], first.key()), "mailboxes know a repeat");
    assert!(!made.settle(&first, 61_000).await, "it is another's now");
    let wait = Posted::Again { at: at(70_000) };
    assert!(made.store.settle_letter(&again, wait).await.unwrap());
    assert_eq!(made.letter(69_999).await, None);
    let third = made.letter(70_000).await.unwrap();
    assert_eq!((keys(&third), third.tries), (vec!["a", "b"], 1));
    assert!(made.settle(&third, 71_000).await);
    let next = made.letter(71_000).await.unwrap();
    assert_eq!((keys(&next), next.tries), (vec!["c"], 0));
    assert!(made.settle(&next, 71_000).await);
    assert_eq!(made.letter(99_000_000).await, None);
    made.store.forget_old(at(72 * HOUR)).await.unwrap();
}

async fn who_waits_for_an_api_is_told_once_and_forgotten(on: On) {
    let made = Made::new(on).await;
    let wish = Wish { api: Some(results().api), environment: Some(results().environment), ..wish() };
    for _ in 0..2 {
        made.store.tell_when_back(&address("one"), &wish, at(0)).await.unwrap();
    }
    let waiting = made.store.waiting_for().await.unwrap();
    let [(id, place, internal)] = &waiting[..] else { panic!("asked twice, told once: {waiting:?}") };
    assert_eq!((place, *internal), (&results(), false));
    assert_eq!(made.letter(1_000).await, None, "it does not work yet");
    made.store.is_back(&[*id], at(2_000)).await.unwrap();
    assert_eq!(made.store.waiting_for().await.unwrap(), []);
    let letter = made.letter(2_000).await.unwrap();
    assert_eq!(letter.about, About::Back);
    assert!(made.settle(&letter, 2_000).await);
    assert_eq!(made.store.subscribers().await.unwrap(), Subscribers::default());
    made.store.tell_when_back(&address("two"), &wish, at(0)).await.unwrap();
    made.store.forget_old(at(14 * 24 * HOUR)).await.unwrap();
    assert_eq!(made.store.subscribers().await.unwrap(), Subscribers::default(), "nobody waits for ever");
}

async fn nobody_gets_more_than_a_few_that_they_did_not_ask_for(on: On) {
    let made = Made::new(on).await;
    for tag in ["", "+1", "+2", "+3", "+4"] {
        let kept = made.store.subscribe(&address(&format!("One{tag}")), &wish(), at(0)).await.unwrap();
        assert_eq!(kept, Subscribed::Taken, "who asks is not told what is known");
        while let Some(letter) = made.letter(0).await {
            made.settle(&letter, 0).await;
        }
    }
    for n in 0..12 {
        let back = Wish {
            api: ApiId::parse(&format!("api-{n}")).ok(),
            environment: Some(results().environment),
            ..wish()
        };
        let kept = made.store.tell_when_back(&address("one"), &back, at(0)).await.unwrap();
        assert_eq!(kept, Subscribed::Taken);
    }
    let expected = Subscribers { asked: 3, back: 5, ..Subscribers::default() };
    assert_eq!(made.store.subscribers().await.unwrap(), expected);
    assert_eq!(made.store.forget(&address("ONE")).await.unwrap(), 8);
}

async fn whoever_waits_for_an_e_mail_gets_it_before_all_the_news(on: On) {
    let made = Made::new(on).await;
    made.confirmed("one", &wish(), 0).await;
    made.confirmed("two", &wish(), 0).await;
    made.announce(&[news("a", 1_000, results())], 1_000).await;
    let back = Wish { api: Some(results().api), environment: Some(results().environment), ..wish() };
    made.store.tell_when_back(&address("three"), &back, at(2_000)).await.unwrap();
    let waiting: Vec<_> = made.store.waiting_for().await.unwrap().into_iter().map(|(id, ..)| id).collect();
    made.store.is_back(&waiting, at(2_000)).await.unwrap();
    made.store.subscribe(&address("four"), &wish(), at(3_000)).await.unwrap();
    let mut order = Vec::new();
    while let Some(letter) = made.letter(4_000).await {
        order.push(letter.address);
    }
    let order: Vec<&str> = order.iter().filter_map(|address| address.split('@').next()).collect();
    assert_eq!(order, ["three", "four", "one", "two"]);
    let asking = made.letter(64_000).await.unwrap();
    assert_eq!(asking.about, About::Back);
    // What was refused once has no such right any more: its mailbox may be made up.
    made.store.settle_letter(&asking, Posted::Again { at: at(64_001) }).await.unwrap();
    let four = made.letter(64_000).await.unwrap().subscription;
    assert_eq!(made.store.unsubscribe(four).await.unwrap().as_deref(), Some("four@example.wales"));
    let next = made.letter(65_000).await.unwrap();
    assert!(matches!(next.about, About::News(_)), "{:?}", next.about);
}

async fn what_is_ended_or_confirmed_meanwhile_is_not_settled(on: On) {
    let made = Made::new(on).await;
    made.store.subscribe(&address("one"), &wish(), at(0)).await.unwrap();
    let asking = made.letter(0).await.unwrap();
    assert!(made.store.confirm(asking.subscription, at(10)).await.unwrap());
    assert!(made.store.confirm(asking.subscription, at(20)).await.unwrap(), "pressed twice");
    let gone = Posted::NoSuchMailbox { next: at(20) };
    assert!(!made.store.settle_letter(&asking, gone).await.unwrap(), "it stays confirmed");
    made.confirmed("One", &wish(), 30).await;
    let kept = made.store.subscribers().await.unwrap();
    assert_eq!(kept.confirmed, 1, "one mailbox is told once of the same");
    made.announce(&[news("a", 1_000, results())], 1_000).await;
    let letter = made.letter(1_000).await.unwrap();
    made.store.unsubscribe(letter.subscription).await.unwrap();
    assert!(!made.settle(&letter, 1_000).await);
    assert_eq!(made.letter(100_000).await, None);
}
