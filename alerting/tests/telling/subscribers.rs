//! E-mails to people from outside who asked for them.

use super::{
    example,
    house::{House, LIMIT, house},
};
use alerting::{Postman, Round};
use domain::{
    ApiId, Channel, Environment, InstanceId, Kinds, Language, MailAddress, News, NotificationKind, Pace,
    Situation, SubscriptionId, Text, Wish,
};
use jiff::tz::TimeZone;
use simulator::Trouble;
use std::sync::Arc;
use store::Subscribers;
use tokio::sync::watch;

struct Post {
    house: House,
    postman: Postman,
    /// Drop last: the key would be gone.
    _situation: watch::Sender<Arc<Situation>>,
}

async fn post() -> Post {
    let house = house().await;
    let remembered = house.store.remember(house.hand.now()).await.unwrap();
    let situation = Situation::new(Arc::new(example::configuration()), remembered);
    let (sender, receiver) = watch::channel(Arc::new(situation));
    let postman = Postman {
        store: house.store.clone(),
        setup: house.deliverer.setup.clone(),
        situation: receiver,
        clock: house.deliverer.clock.clone(),
        look: Arc::default(),
    };
    Post { house, postman, _situation: sender }
}

fn wish(language: Language) -> Wish {
    Wish {
        language,
        internal: false,
        api: ApiId::parse("patient-demographics").ok(),
        environment: Some(Environment::Production),
        kinds: Kinds::Incidents,
        pace: Pace::Immediate,
    }
}

fn dev() -> MailAddress {
    MailAddress::parse("dev@example.wales").unwrap()
}

impl Post {
    async fn asks(&self, language: Language) {
        self.house.store.subscribe(&dev(), &wish(language), self.house.hand.now()).await.unwrap();
    }

    async fn confirmed(&self) -> SubscriptionId {
        self.asks(Language::En).await;
        assert_eq!(self.postman.post_some().await.unwrap().claimed, 1);
        let id = SubscriptionId(1);
        assert!(self.house.store.confirm(id, self.house.hand.now()).await.unwrap());
        id
    }

    async fn happens(&self, key: &str) {
        let (now, wish) = (self.house.hand.now(), wish(Language::En));
        let place = InstanceId { api: wish.api.unwrap(), environment: Environment::Production };
        let news = News {
            key: key.to_owned(),
            at: now,
            internal: false,
            planned: false,
            places: vec![place],
            environment: Environment::Production,
            title: Text::new(format!("{key} happened"), format!("digwyddodd {key}")),
            says: Text::new("We look into it.", "Rydym yn ymchwilio."),
        };
        self.house.store.announce(&news, &TimeZone::UTC, now).await.unwrap();
    }

    async fn subscribers(&self) -> Subscribers {
        self.house.store.subscribers().await.unwrap()
    }
}

#[tokio::test]
async fn who_asked_is_asked_back_in_their_language_with_a_way_to_confirm_and_one_to_be_forgotten() {
    let post = post().await;
    post.asks(Language::Cy).await;
    assert_eq!(post.postman.post_some().await.unwrap().claimed, 1);
    assert_eq!(post.postman.post_some().await.unwrap().claimed, 0, "once");
    let mails = post.house.world.mail().mails();
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert!(mail.to.iter().any(|to| to.contains("dev@example.wales")));
    assert!(mail.subject.starts_with("Ai chi oedd yno?"), "{}", mail.subject);
    assert!(
        mail.text.contains("Demograffeg Cleifion, amgylchedd byw, digwyddiadau, ar unwaith"),
        "{}",
        mail.text
    );
    let reference = SubscriptionId(1).reference(&post.postman.situation.borrow().key);
    for act in ["confirm", "stop"] {
        assert!(mail.text.contains(&format!("/subscriptions/{reference}/{act}?lang=cy")), "{}", mail.text);
    }
    let id = mail.header("message-id").unwrap();
    assert!(id.starts_with("<subscription/") && id.ends_with("@status.example.wales>"), "{id}");
}

#[tokio::test]
async fn news_comes_with_a_button_to_end_it_and_what_came_together_comes_in_one() {
    let post = post().await;
    post.confirmed().await;
    post.happens("one").await;
    post.happens("two").await;
    assert_eq!(post.postman.post_some().await.unwrap().claimed, 1);
    let mails = post.house.world.mail().mails();
    let mail = mails.last().unwrap();
    assert_eq!(mail.subject, "two happened (and 1 more)");
    assert!(mail.text.contains("one happened\nWe look into it."), "{}", mail.text);
    let unsubscribe = mail.header("list-unsubscribe").unwrap();
    assert!(unsubscribe.starts_with("<https://") && unsubscribe.contains("/stop?lang=en>"), "{unsubscribe}");
    assert_eq!(mail.header("list-unsubscribe-post"), Some("List-Unsubscribe=One-Click"));
    assert_eq!(mail.header("auto-submitted"), Some("auto-generated"));
    assert_eq!(post.subscribers().await, Subscribers { confirmed: 1, ..Subscribers::default() });
}

#[tokio::test]
async fn a_mail_server_that_is_away_loses_nothing_and_doubles_nothing() {
    let post = post().await;
    post.confirmed().await;
    post.happens("one").await;
    post.house.world.mail().set_trouble_for(Trouble::ServerError, 1).await;
    post.postman.post_some().await.unwrap();
    assert_eq!(post.house.world.mail().mails().len(), 1, "only the one that asked");
    assert_eq!(post.postman.post_some().await.unwrap().claimed, 0, "not again at once");
    post.house.hand.forward(5);
    post.postman.post_some().await.unwrap();
    let subjects: Vec<String> =
        post.house.world.mail().mails().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects[1..], ["one happened"]);
}

#[tokio::test]
async fn only_what_is_said_of_the_mailbox_ends_what_was_asked_for() {
    let post = post().await;
    let mail = post.house.world.mail();
    post.asks(Language::En).await;
    mail.set_trouble_for(Trouble::Unauthorised, 1).await;
    assert_eq!(
        post.postman.post_some().await.unwrap(),
        Round { claimed: 1, sent: 0 },
        "our account is refused"
    );
    assert_eq!(post.subscribers().await.asked, 1);
    mail.set_recipient(dev().reveal(), Some("554 5.7.1 Too much from you today"));
    post.house.hand.forward(5);
    assert_eq!(post.postman.post_some().await.unwrap(), Round { claimed: 1, sent: 0 });
    assert_eq!(post.subscribers().await.asked, 1);
    for (wait, of_us) in [(10, "553 5.1.8 Your domain does not exist"), (20, "550 relay not permitted")] {
        mail.set_recipient(dev().reveal(), Some(of_us));
        post.house.hand.forward(wait);
        assert_eq!(post.postman.post_some().await.unwrap(), Round { claimed: 1, sent: 0 }, "{of_us}");
    }
    mail.set_recipient(dev().reveal(), Some("550 5.1.1 No such user"));
    post.house.hand.forward(40);
    assert_eq!(post.postman.post_some().await.unwrap(), Round { claimed: 1, sent: 1 });
    assert_eq!(post.subscribers().await, Subscribers::default(), "nobody is there");
}

#[tokio::test]
async fn who_waited_for_an_api_is_told_once_and_forgotten() {
    let post = post().await;
    let now = post.house.hand.now();
    post.house.store.tell_when_back(&dev(), &wish(Language::En), now).await.unwrap();
    assert_eq!(post.postman.post_some().await.unwrap().claimed, 0);
    post.house.store.is_back(&[SubscriptionId(1)], now).await.unwrap();
    assert_eq!(post.postman.post_some().await.unwrap().claimed, 1);
    let mails = post.house.world.mail().mails();
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!(mail.subject, "Patient Demographics works again (production)");
    assert!(mail.text.contains("Your address is forgotten now."));
    assert_eq!(mail.header("list-unsubscribe"), None, "there is nothing to end");
    assert_eq!(post.subscribers().await, Subscribers::default());
}

#[tokio::test]
async fn a_call_waits_for_nobody_who_subscribed() {
    let post = post().await;
    for n in 0..20 {
        let address = MailAddress::parse(&format!("dev{n}@example.wales")).unwrap();
        post.house.store.subscribe(&address, &wish(Language::En), post.house.hand.now()).await.unwrap();
    }
    let mail = post.house.world.mail();
    mail.set_trouble_for(Trouble::AcceptThenTimeOut, 4).await;
    let call = async {
        // The mail server holds all that subscribers may have there at a time.
        let all_held = |world: &simulator::World| (world.mail().mails().len() == 4).then_some(());
        post.house.world.wait_for(LIMIT, all_held).await.unwrap();
        let one = Channel::Email(example::id("oncall.one"));
        post.house.wants("callout/1/email", NotificationKind::Callout { callout: 1 }, one).await;
        post.house.deliver().await
    };
    let (posted, delivered) = tokio::join!(post.postman.post_some(), call);
    assert_eq!((posted.unwrap(), delivered), (Round { claimed: 4, sent: 0 }, 1));
    let mails = mail.mails();
    let [.., called] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!(mails.len(), 5);
    assert!(called.to.iter().any(|to| to.contains("one@example.wales")), "{called:?}");
}
