//! `capture: { id: { json: $.id } }`: what a step of a journey takes from its answer.

use super::{
    expect,
    problem::Rank,
    reading::Reading,
    section::Section,
    tree::{Key, Node},
};
use domain::{Capture, Journey, Source};

/// Each value: its name, where that stands, and how it is found, if that can be read.
pub(super) fn read<'n>(node: &'n Node, reading: &mut Reading<'_>) -> Vec<(&'n Key, Option<Capture>)> {
    let mut all = Vec::new();
    for (key, node) in reading.map(node, "captures").unwrap_or_default() {
        if key.word == Journey::UUID {
            reading.wrong(&key.place, "'uuid' stands for the request id: call the value otherwise");
        } else if !Journey::is_name(&key.word) {
            let message =
                format!("a value is called by a–z, 0–9 and '_', such as booked_id, not '{}'", key.word);
            reading.wrong(&key.place, message);
        }
        let name = key.word.clone();
        let capture = capture(node, reading).map(|(source, regex)| Capture { name, source, regex });
        all.push((key, capture));
    }
    all
}

fn capture(node: &Node, reading: &mut Reading<'_>) -> Option<(Source, Option<String>)> {
    let mut section = Section::open(node, "a capture", reading)?;
    let mut found = Vec::new();
    let json = section.optional("json", reading);
    if let Some(node) = json {
        let path = reading
            .parsed(node, "a JSONPath", |text| prober::check_json_path(text).map(|()| text.to_owned()));
        found.push(path.map(Source::Json));
    }
    let names = section.optional("namespaces", reading);
    let namespaces = names.map(|node| expect::namespaces(node, reading)).unwrap_or_default();
    let xpath = section.optional("xpath", reading);
    if let Some(node) = xpath {
        let path = reading.parsed(node, "an XPath", |text| match prober::check_xpath(text, &namespaces) {
            Ok(()) => Ok(text.to_owned()),
            Err(why) => Err(format!("'{text}' is not an XPath such as //s:Body/*: {why}")),
        });
        found.push(path.map(|path| Source::XPath(path, namespaces)));
    }
    if let Some(node) = section.optional("header", reading) {
        let name = reading.parsed(node, "the name of a header", |text| {
            let name = expect::is_header_name(text).then(|| text.to_ascii_lowercase());
            name.ok_or_else(|| format!("'{text}' is not the name of a header"))
        });
        found.push(name.map(Source::Header));
    }
    let regex = section.optional("regex", reading);
    let regex = regex.map(|node| reading.parsed(node, "a regular expression", expect::regex));
    let misspelt = section.misspells(&["json", "xpath", "header"]);
    let place = section.place();
    section.close(reading);
    if let (Some(node), None) = (names, xpath) {
        reading.problems.error(Rank::Sense, &node.owner, "'namespaces' goes with 'xpath'", None);
    }
    let one = found.len() == 1;
    let left_out = found.is_empty() && misspelt;
    if !one && !left_out {
        let message = "a capture has exactly one of: json, xpath, header";
        reading.problems.error(Rank::Shape, place, message, None);
    }
    let source = found.pop().flatten().filter(|_| one)?;
    match regex {
        Some(regex) => Some((source, Some(regex?))),
        None => Some((source, None)),
    }
}
