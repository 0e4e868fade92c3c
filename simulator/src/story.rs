//! The demo's story: what happens in the world outside, once, in order. The people in it only read and answer texts.

use crate::{Fault, Message, NoSuchInstance, World};
use std::{io, time::Duration};
use url::Url;

/// From the start to the first failure: time to look at a page on which all is well.
const CALM: Duration = Duration::from_secs(30);
/// From the first failure to the one in SIT, which calls nobody.
const SECOND_FAILURE: Duration = Duration::from_secs(8);
/// How long the story waits for a text: longer than any hold of the demo's configuration.
const PATIENCE: Duration = Duration::from_secs(300);
/// A person woken at night takes a moment.
const WAKING_UP: Duration = Duration::from_secs(6);
/// From the answer to the repair.
const REPAIR: Duration = Duration::from_secs(15);

/// The API that fails, and where.
const FAILS: (&str, &str) = ("patient-demographics", "production");
const FAILS_TOO: (&str, &str) = ("results", "sit");

/// What a person who was called says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// "I've got it."
    Mine,
    /// "I can't: call the next."
    CallNext,
    /// "Not real."
    NotReal,
}

impl Answer {
    const fn word(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::CallNext => "call_next",
            Self::NotReal => "not_real",
        }
    }
}

/// Follows the link in a text and presses a button, as a person does. Answers the HTTP status.
pub async fn answer(text: &str, answer: Answer) -> io::Result<u16> {
    let url =
        link(text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the text has no link"))?;
    crate::post::post_form(&url, format!("answer={}", answer.word())).await
}

fn link(text: &str) -> Option<Url> {
    text.split_whitespace()
        .filter_map(|word| word.find("http").and_then(|start| word.get(start..)))
        .filter_map(|word| Url::parse(word.trim_end_matches(['.', ',', ')'])).ok())
        .find(|url| url.path().contains("/ack/"))
}

/// Why a story could not be told to its end.
#[derive(Debug)]
pub(crate) struct Untold(String);

impl From<NoSuchInstance> for Untold {
    fn from(error: NoSuchInstance) -> Self {
        Self(error.to_string())
    }
}

/// Tells the demo's story, a line for each thing that happens in the world; ends when it is over.
pub async fn tell(world: &World, mut say: impl FnMut(&str)) {
    if let Err(Untold(why)) = scenes(world, &mut say).await {
        say(&format!("The story ends early: {why}. Play on by yourself at {}.", world.page_url()));
    }
}

async fn scenes(world: &World, say: &mut impl FnMut(&str)) -> Result<(), Untold> {
    say(&format!("All is well. In {} seconds an API in production will start to fail.", CALM.as_secs()));
    tokio::time::sleep(CALM).await;
    world.set_fault(FAILS.0, FAILS.1, Fault::GatewayUnavailable).await?;
    say("Patient Demographics in production loses the service behind its gateway.");
    tokio::time::sleep(SECOND_FAILURE).await;
    world.set_fault(FAILS_TOO.0, FAILS_TOO.1, Fault::Refuse).await?;
    say("Results in SIT goes down too. Nobody is called for that.");
    let first = text_after(world, &[]).await?;
    say(&format!("A telephone rings at {}: \u{201c}{}\u{201d} Nobody wakes up.", first.to, first.body));
    let second = text_after(world, &[&first.to]).await?;
    say(&format!("The next telephone rings at {}: \u{201c}{}\u{201d}", second.to, second.body));
    tokio::time::sleep(WAKING_UP).await;
    match answer(&second.body, Answer::Mine).await {
        Ok(status) if status < 400 => {
            say("The second person follows the link and presses \u{201c}I\u{2019}ve got it\u{201d}.");
        }
        Ok(status) => return Err(Untold(format!("the answer was refused with {status}"))),
        Err(error) => return Err(Untold(format!("the answer did not get through: {error}"))),
    }
    tokio::time::sleep(REPAIR).await;
    world.set_fault(FAILS.0, FAILS.1, Fault::None).await?;
    say("The service behind Patient Demographics is repaired.");
    world.set_fault(FAILS_TOO.0, FAILS_TOO.1, Fault::None).await?;
    say(&format!("Results in SIT is back as well. That was the story; now play: {}", world.page_url()));
    Ok(())
}

/// The first text with a link that goes to somebody who has had none yet.
async fn text_after(world: &World, had: &[&str]) -> Result<Message, Untold> {
    let fresh = |text: &Message| !had.contains(&text.to.as_str()) && link(&text.body).is_some();
    world
        .wait_for(PATIENCE, |world| world.notify().texts().into_iter().find(fresh))
        .await
        .map_err(|_| Untold("no text came".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_in_a_text() {
        let text = "P1 PROD Results down since 03:12 GMT. Answer: http://127.0.0.1:8080/ack/abc123.";
        assert_eq!(link(text).map(|url| url.path().to_owned()), Some("/ack/abc123".to_owned()));
        assert_eq!(link("see http://127.0.0.1:8080/en"), None);
    }
}
