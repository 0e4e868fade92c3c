//! HL7 v2 over the Minimal Lower Layer Protocol: a message in its frame, and the acknowledgement that answers it.
//!
//! HL7 v2 chapter 2 (`MSA-1`), "Transport Specification: MLLP, Release 1".

use crate::{
    conversation::{HEARD, Heard, Stream, cut_short, hear, say},
    door::Door,
    permits::Permits,
};
use domain::{Check, Expectation, Failure, FailureKind, Layer, MllpRequest, Outcome};
use tokio::time::Instant;

const START: u8 = 0x0b;
const END: &[u8] = &[0x1c, 0x0d];

/// The longest message control id that all versions of HL7 v2 take.
const CONTROL_ID: usize = 20;

/// An MLLP check made ready.
pub(crate) struct Mllp {
    pub(crate) door: Door,
    pub(crate) certificate_days: Option<u32>,
    /// The message up to MSH-10, and from behind it.
    message: (String, String),
}

impl Mllp {
    pub(crate) fn new(check: &Check, request: &MllpRequest, permits: &Permits) -> Result<Self, String> {
        Ok(Self {
            door: Door::new(&check.url, None, permits)?,
            certificate_days: check.operation.expect.certificate_days,
            message: around_control_id(&request.message)?,
        })
    }

    /// Sends the message and judges what acknowledges it. `id` is this probe's request id.
    pub(crate) async fn talk(
        &self,
        stream: &mut Stream,
        deadline: Instant,
        id: &str,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let control_id: String = id.chars().filter(char::is_ascii_alphanumeric).take(CONTROL_ID).collect();
        say(stream, &framed(&self.message, &control_id), deadline).await?;
        let mut heard = Heard::default();
        let frame = hear(stream, &mut heard, deadline, &mut outcome.phases, frame).await;
        let frame = frame.map_err(|ended| cut_short(ended, heard.bytes.len(), "an acknowledgement"))?;
        let acknowledged = frame.map_err(ToOwned::to_owned).and_then(|frame| acknowledgement(&frame));
        let said = match acknowledged {
            Ok(said) => said,
            Err(why) => {
                return Err(Failure {
                    layer: Layer::Contract,
                    kind: FailureKind::BadBody,
                    message: format!("the answer is no HL7 acknowledgement: {why}"),
                });
            }
        };
        let (expectation, failure) = judged(&said, &control_id);
        outcome.expectations.push(expectation);
        failure.map_or(Ok(()), Err)
    }
}

/// A message around its MSH-10, so that each probe has an id of its own; what is wrong with it, if something is.
pub(crate) fn around_control_id(message: &str) -> Result<(String, String), String> {
    if !message.starts_with("MSH") {
        return Err("a message begins with the segment MSH".to_owned());
    }
    let separator = message.chars().nth(3).filter(char::is_ascii_punctuation);
    let separator = separator.ok_or("MSH-1, the character behind MSH, separates fields, such as '|'")?;
    let header = message.split('\r').next().unwrap_or_default();
    // MSH-1 is the separator itself, so MSH-10 stands behind the ninth.
    let mut separators = header.match_indices(separator).map(|(at, _)| at);
    let begins = separators.nth(8).ok_or("its MSH ends before MSH-10, the message control id")? + 1;
    let ends = separators.next().unwrap_or(header.len());
    let part = |range: std::ops::Range<usize>| message.get(range).unwrap_or_default().to_owned();
    Ok((part(0..begins), part(ends..message.len())))
}

/// Whether a message can be sent, and if not, why.
pub fn check_message(message: &str) -> Result<(), String> {
    if message.bytes().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\r' | b'\t')) {
        return Err("it holds a control character".to_owned());
    }
    around_control_id(message).map(drop)
}

fn framed((before, after): &(String, String), control_id: &str) -> Vec<u8> {
    let parts = [&[START], before.as_bytes(), control_id.as_bytes(), after.as_bytes(), END];
    parts.concat()
}

/// What is in the first frame of `bytes`: `None` while it has not ended.
pub(crate) fn frame(bytes: &[u8]) -> Option<Result<Vec<u8>, &'static str>> {
    // Some senders leave line ends between frames; the start block is no white space to Rust.
    let bytes = bytes.trim_ascii_start();
    match bytes.first() {
        Some(&START) => {}
        Some(_) => return Some(Err("it does not begin with a start block (0x0B)")),
        None => return None,
    }
    let inside = bytes.get(1..)?;
    let ends = inside.windows(END.len()).position(|window| window == END);
    match ends {
        Some(ends) => Some(Ok(inside.get(..ends)?.to_vec())),
        None if bytes.len() >= HEARD => Some(Err("its end block (0x1C 0x0D) is not among what is read")),
        None => None,
    }
}

/// What an acknowledgement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    /// MSA-1.
    code: Code,
    /// MSA-2: the message that it answers.
    answers: String,
    /// The first ERR-3, where it is one of HL7's own numbers (table 0357).
    error: Option<u16>,
}

/// MSA-1 (HL7 table 0008).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Accept(&'static str),
    Error(&'static str),
    Reject(&'static str),
}

/// Whose trouble it is that a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Theirs,
    Messages,
}

impl Acknowledgement {
    /// By the number of the error, for many senders say AE of whatever it is and some AR; without one that says it (HL7 table
    /// 0357), by the code.
    const fn whose(&self) -> Whose {
        match (self.error, self.code) {
            // Of the message: how it is written, and of what kind and version it is.
            (Some(100..=104 | 200..=204), _) => Whose::Messages,
            // A record that is locked, and an error within.
            (Some(206 | 207), _) | (_, Code::Accept(_) | Code::Error(_)) => Whose::Theirs,
            (_, Code::Reject(_)) => Whose::Messages,
        }
    }
}

/// Reads an acknowledgement.
pub(crate) fn acknowledgement(frame: &[u8]) -> Result<Acknowledgement, String> {
    let text = String::from_utf8_lossy(frame);
    let text = text.trim_start();
    if !text.starts_with("MSH") {
        return Err("it does not begin with the segment MSH".to_owned());
    }
    let mut delimiters = text.chars().skip(3);
    let separator = delimiters.next().filter(char::is_ascii_punctuation).ok_or("its MSH is broken")?;
    let component = delimiters.next().unwrap_or('^');
    // Only \r ends a segment by the standard; \n is met.
    let segments = || text.split(['\r', '\n']).map(|segment| segment.split(separator));
    let mut msa = segments()
        .find_map(|mut fields| (fields.next() == Some("MSA")).then_some(fields))
        .ok_or("it has no segment MSA")?;
    let word = msa.next().unwrap_or_default();
    let code = match word {
        "AA" => Code::Accept("AA"),
        "CA" => Code::Accept("CA"),
        "AE" => Code::Error("AE"),
        "CE" => Code::Error("CE"),
        "AR" => Code::Reject("AR"),
        "CR" => Code::Reject("CR"),
        _ => return Err("its MSA-1 is none of AA, CA, AE, CE, AR, CR".to_owned()),
    };
    let error = segments().find_map(|mut fields| {
        (fields.next() == Some("ERR")).then_some(())?;
        let number = fields.nth(2)?.split(component).next()?;
        (number.len() <= 3).then_some(())?;
        number.parse().ok()
    });
    Ok(Acknowledgement { code, answers: msa.next().unwrap_or_default().to_owned(), error })
}

fn judged(said: &Acknowledgement, control_id: &str) -> (Expectation, Option<Failure>) {
    let (Code::Accept(word) | Code::Error(word) | Code::Reject(word)) = said.code;
    let number = said.error.map_or_else(String::new, |number| format!(", error {number}"));
    let ours = said.answers == control_id;
    let fails = |layer, kind, message: String| Some(Failure { layer, kind, message });
    let failure = match (said.code, said.whose()) {
        (Code::Accept(_), _) if ours => None,
        // Somebody else's acknowledgement says nothing of our message.
        (Code::Accept(_), _) => fails(
            Layer::Contract,
            FailureKind::ExpectationFailed,
            "the acknowledgement is of another message: its MSA-2 is not our MSH-10".to_owned(),
        ),
        (Code::Error(_) | Code::Reject(_), Whose::Theirs) => fails(
            Layer::Backend,
            FailureKind::ServerError,
            format!("the message came through, but not its processing: acknowledged with {word}{number}"),
        ),
        (Code::Error(_) | Code::Reject(_), Whose::Messages) => fails(
            Layer::Contract,
            FailureKind::RequestRefused,
            format!("the message is rejected: acknowledged with {word}{number}"),
        ),
    };
    let seen = if ours { word.to_owned() } else { format!("{word} of another message") };
    let ok = failure.is_none();
    (Expectation { what: "acknowledgement".to_owned(), expected: "AA or CA".to_owned(), seen, ok }, failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str =
        "MSH|^~\\&|CURIAD|DHCW|HUB|DHCW|20261120||ADT^A04|1|T|2.5\rEVN|A04\rPID|1||9990000018\r";

    #[test]
    fn each_probe_has_a_control_id_of_its_own() {
        let around = around_control_id(MESSAGE).unwrap();
        let framed = framed(&around, "abc");
        assert_eq!(framed.first(), Some(&0x0b));
        assert!(framed.ends_with(b"PID|1||9990000018\r\x1c\r"));
        let text = String::from_utf8(framed).unwrap();
        assert!(text.contains("|ADT^A04|abc|T|2.5\r"), "{text}");
        let ends = around_control_id("MSH|^~\\&|||||||ACK|1").unwrap();
        assert_eq!(ends, ("MSH|^~\\&|||||||ACK|".to_owned(), String::new()));
    }

    #[test]
    fn what_is_no_message_is_said_so() {
        for (wrong, why) in [
            ("PID|1", "a message begins with the segment MSH"),
            ("MSH", "MSH-1, the character behind MSH, separates fields, such as '|'"),
            ("MSHA^~\\&", "MSH-1, the character behind MSH, separates fields, such as '|'"),
            ("MSH|^~\\&|a|b\rMSA|||||||||", "its MSH ends before MSH-10, the message control id"),
        ] {
            assert_eq!(around_control_id(wrong).unwrap_err(), why);
        }
    }

    #[test]
    fn a_frame_is_read_when_it_is_whole() {
        assert_eq!(frame(b"\x0bMSH\x1c\x0d"), Some(Ok(b"MSH".to_vec())));
        assert_eq!(frame(b"\r\n\x0bMSH\x1c\x0d\x0bnext"), Some(Ok(b"MSH".to_vec())));
        for more in [&b""[..], b"\r", b"\x0b", b"\x0bMSH", b"\x0bMSH\x1c"] {
            assert_eq!(frame(more), None, "{more:?}");
        }
        assert!(frame(b"MSH|").unwrap().is_err());
    }

    #[test]
    fn what_an_acknowledgement_says_is_its_first_two_fields() {
        let check = |msa: &str, wrong: Option<(Layer, FailureKind, &str)>| {
            let said = acknowledgement(format!("MSH|^~\\&|HUB\r{msa}").as_bytes()).unwrap();
            let (expectation, failure) = judged(&said, "id1");
            let seen = failure.as_ref().map(|f| (f.layer, f.kind, f.message.as_str()));
            assert_eq!(seen, wrong, "{msa}");
            assert_eq!(expectation.ok, wrong.is_none());
        };
        check("MSA|AA|id1\r", None);
        check("MSA|CA|id1", None);
        check(
            "MSA|AA|id2\r",
            Some((
                Layer::Contract,
                FailureKind::ExpectationFailed,
                "the acknowledgement is of another message: its MSA-2 is not our MSH-10",
            )),
        );
        check(
            "MSA|AE|id1|Claf 943 476 5919\rERR||PID^1|207^Application error^HL70357\r",
            Some((
                Layer::Backend,
                FailureKind::ServerError,
                "the message came through, but not its processing: acknowledged with AE, error 207",
            )),
        );
        check(
            "MSA|AR|id1\r",
            Some((
                Layer::Contract,
                FailureKind::RequestRefused,
                "the message is rejected: acknowledged with AR",
            )),
        );
        for wrong in ["", "PID|1", "MSH", "MSH|^~\\&\rPID|1", "MSH|^~\\&\rMSA|XX|id1", "MSH|^~\\&\rMSA"] {
            assert!(acknowledgement(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_number_of_an_error_says_whose_it_is_and_without_one_the_code() {
        let theirs = (Layer::Backend, FailureKind::ServerError);
        let messages = (Layer::Contract, FailureKind::RequestRefused);
        for (error, of_ae, of_ar) in [
            ("", theirs, messages),
            ("100", messages, messages),
            ("101", messages, messages),
            ("104", messages, messages),
            ("105", theirs, messages),
            ("200", messages, messages),
            ("204", messages, messages),
            // A key that is there already may be so by our own message before.
            ("205", theirs, messages),
            ("206", theirs, theirs),
            ("207", theirs, theirs),
            ("208", theirs, messages),
            ("X", theirs, messages),
        ] {
            for (codes, expected) in [(["AE", "CE"], of_ae), (["AR", "CR"], of_ar)] {
                for code in codes {
                    let text = format!("MSH|^~\\&|HUB\rMSA|{code}|id1\rERR||PID^1|{error}^words^HL70357|E\r");
                    let failure = judged(&acknowledgement(text.as_bytes()).unwrap(), "id1").1.unwrap();
                    assert_eq!(
                        (failure.layer, failure.kind),
                        expected,
                        "{code} {error}: {}",
                        failure.message
                    );
                }
            }
        }
    }
}
