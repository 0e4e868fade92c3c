//! `mllp: { message, synthetic }`: an HL7 v2 message.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use domain::MllpRequest;

/// Reads an MLLP request.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<MllpRequest> {
    let mut section = Section::open(node, "an HL7 message", reading)?;
    let message_node = section.required("message", reading);
    let message = message_node.and_then(|node| reading.text_or_file(node, "a message"));
    // What receives a message acts on it: somebody says in as many words that it is about nobody.
    let synthetic_node = section.required("synthetic", reading);
    if let Some(node) = synthetic_node
        && reading.boolean(node) == Some(false)
    {
        let hint = Some("write a message about nobody, and 'synthetic: true'".to_owned());
        reading.problems.error(Rank::Sense, &node.place, "only a synthetic message may be sent", hint);
    }
    section.close(reading);
    let message = segments(&message?);
    if let (Err(why), Some(node)) = (prober::check_message(&message), message_node) {
        reading.wrong(&node.place, format!("this is not an HL7 v2 message: {why}"));
    }
    Some(MllpRequest { message })
}

/// Lines as segments: HL7 ends each with a carriage return.
fn segments(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::new(), |message, line| format!("{message}{line}\r"))
}
