//! `curiad page unapproved`: the Welsh of the pages that no translator has approved, so that going live with it is a decision.

use crate::{
    exit::{Failed, SOFTWARE},
    terminal::Terminal,
};
use serde_json::{Value, json};
use status_page::{Unapproved, unapproved};

pub(crate) fn run(as_json: bool) -> Result<u8, Failed> {
    let (of, left) = unapproved().map_err(|error| Failed::new(SOFTWARE, error.to_string()))?;
    let terminal = Terminal::new();
    if as_json {
        let left: Vec<Value> = left.iter().map(value).collect();
        terminal.json(&json!({ "messages": of, "unapproved": left }));
    } else if left.is_empty() {
        terminal.line(&format!("A translator has approved the Welsh of all {of} messages."));
    } else {
        for message in &left {
            let indented = |text: &str| text.replace('\n', "\n      ");
            let (en, cy) = (indented(&message.en), indented(&message.cy));
            terminal.line(&format!("{}\n  en  {en}\n  cy  {cy}", message.line()));
        }
        let count = left.len();
        terminal.line(&format!(
            "\nThe Welsh of {count} of {of} messages is approved by no translator.\nWhat is approved: put its first line into \
             status-page/locales/approved.txt, and build again."
        ));
    }
    Ok(u8::from(!left.is_empty()))
}

fn value(message: &Unapproved) -> Value {
    let Unapproved { file, key, mark, en, cy } = message;
    json!({ "file": file, "key": key, "mark": mark, "en": en, "cy": cy })
}
