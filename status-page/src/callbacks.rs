//! Who may tell us something at `/hooks`, and whose telephone is whose.

use domain::{Callout, Configuration, Incident, PersonId, Secret};
use jiff::Timestamp;

/// Who may tell us something at `/hooks`. Cannot be printed by accident: secrets hide themselves.
#[derive(Debug, Clone, Default)]
pub struct Callbacks {
    /// Tokens that `/hooks/notify` accepts: two while one is being replaced. None: there is no such path.
    pub notify: Vec<Secret>,
    /// Auth tokens that sign what comes to `/hooks/twilio`: two while one is being replaced. None: there is no such path.
    pub twilio: Vec<Secret>,
    /// Words for somebody who is on the line, in Twilio's markup.
    pub spoken: Option<Spoken>,
    /// Tokens that `/hooks/alertmanager` accepts. None: there is no such path.
    pub alertmanager: Vec<Secret>,
    /// Telephones from which people answer.
    pub telephones: Vec<(Secret, PersonId)>,
}

/// What is said to whoever was called: these words, or all of the call again.
pub type Spoken = fn(&Configuration, &Incident, &Callout, Option<&str>, Timestamp) -> String;

impl Callbacks {
    /// Whose telephone that is: it may be that of several.
    pub(crate) fn people_of(&self, number: &str) -> Vec<PersonId> {
        let number = digits(number);
        let same = |known: &Secret| !number.is_empty() && digits(known.reveal()) == number;
        self.telephones.iter().filter(|(known, _)| same(known)).map(|(_, person)| person.clone()).collect()
    }
}

/// A number as digits from its country on; one without a country is of the United Kingdom.
fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).take(20).collect();
    match digits.strip_prefix("00") {
        Some(abroad) => abroad.to_owned(),
        None => digits.strip_prefix('0').map(|at_home| format!("44{at_home}")).unwrap_or(digits),
    }
}
