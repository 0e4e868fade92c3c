//! Texts: at least once, twice only when nobody can be asked, and never held back by what cannot succeed.

use super::{
    example,
    house::{Hand, house, house_with},
};
use domain::{Clock, Sent};
use simulator::Trouble;

#[tokio::test]
async fn a_text_goes_out_once_in_the_language_of_whoever_is_called() {
    let house = house().await;
    let key = house.wants_text().await;
    house.deliver().await;
    let texts = house.world.notify().messages();
    let [text] = texts.as_slice() else { panic!("one text, not {}", texts.len()) };
    assert_eq!(text.to, "+447700900101");
    assert_eq!(text.reference.as_deref(), Some(key.as_str()));
    assert!(text.body.starts_with("P1 BYW Demograffeg Cleifion WEDI METHU ers 03:12 BST."), "{}", text.body);
    assert!(text.body.contains("https://statws.example.cymru/ack/k7m2q9x4tz1p"));
    assert_eq!(house.receipt().await, Sent::Accepted { provider_id: text.id.clone() });
    house.close().await;
}

#[tokio::test]
async fn a_text_whose_fate_is_unknown_is_asked_for_by_its_reference_before_it_is_sent_again() {
    let house = house().await;
    house.wants_text().await;
    house.world.notify().set_trouble_for(Trouble::AcceptThenTimeOut, 1).await;
    house.deliver().await;
    assert_eq!(house.world.notify().messages().len(), 1);
    house.hand.forward(3);
    house.deliver().await;
    assert_eq!(house.world.notify().messages().len(), 1, "nobody is woken twice by one call");
    assert!(matches!(house.receipt().await, Sent::Accepted { .. }));
    house.close().await;
}

#[tokio::test]
async fn a_text_that_never_arrived_is_sent_again_and_one_that_nobody_can_be_asked_about_says_so() {
    let house = house().await;
    house.wants_text().await;
    house.world.notify().set_trouble_for(Trouble::ServerError, 1).await;
    house.deliver().await;
    assert!(house.world.notify().messages().is_empty());
    house.hand.forward(3);
    // The question fails, the text does not.
    house.world.notify().set_trouble_for(Trouble::ServerError, 1).await;
    house.deliver().await;
    let texts = house.world.notify().messages();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].body.contains(" #1/2 eto "), "{}", texts[0].body);
    house.close().await;
}

#[tokio::test]
async fn a_carrier_that_refuses_for_good_is_given_up_at_once_so_that_another_way_takes_over() {
    for (trouble, skew, expected) in [
        (Trouble::DailyLimit, 0, "the day's limit is reached"),
        (Trouble::Unauthorised, 0, "403"),
        (Trouble::None, 60, "within 30 seconds"),
    ] {
        let hand = Hand::new(example::at("02:14:10"));
        let mut house = house_with(hand.clone(), hand.clock(), |_| ()).await;
        let ahead = hand.clone();
        house.deliverer.clock = Clock::new(move || ahead.now() + jiff::SignedDuration::from_secs(skew));
        house.world.notify().set_trouble(trouble).await;
        house.wants_text().await;
        house.deliver().await;
        let Sent::GivenUp { why } = house.receipt().await else { panic!("{trouble}: not given up") };
        assert!(why.contains(expected), "{trouble}: {why}");
        assert!(!why.contains("447700900101"), "no number in words: {why}");
        house.close().await;
    }
}
