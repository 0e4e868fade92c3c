//! Posts put together from phrases, in words.

use crate::{Words, WordsError, when::Times};
use domain::{Advice, Language, Phrases, Text};
use jiff::{Timestamp, tz::TimeZone};

/// What stands on the page in either language, as of `now`.
pub fn phrased(phrases: &Phrases, zone: &TimeZone, now: Timestamp) -> Result<Text, WordsError> {
    let words = Words::load()?;
    let [en, cy] = Language::ALL.map(|language| sentences(&words, phrases, &Times { language, zone, now }));
    Ok(Text::new(en?, cy?))
}

/// What to do, in words.
pub(crate) fn advice(words: &Words, language: Language, advice: Advice) -> Result<String, WordsError> {
    words.find(language, &format!("phrase-advice-{}", advice.word()), &[])
}

/// A sentence each: why, what callers meet, what a person adds, what to do, when more is said.
pub(crate) fn sentences(words: &Words, phrases: &Phrases, times: &Times<'_>) -> Result<String, WordsError> {
    let language = times.language;
    let phrase = |kind: &str, word: &str| words.find(language, &format!("phrase-{kind}-{word}"), &[]);
    let said = [
        phrases.because.map(|because| phrase("cause", because.word())),
        phrases.effect.map(|effect| phrase("effect", effect.word())),
        phrases.words.as_ref().map(|words| Ok(words.get(language).to_owned())),
        phrases.advice.map(|said| advice(words, language, said)),
        phrases.next.map(|at| words.find(language, "phrase-next", &[("when", times.short(at).words.into())])),
    ];
    Ok(said.into_iter().flatten().collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Because, Effect};

    #[test]
    fn every_phrase_is_there_in_both_languages_and_stands_in_its_place() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let now: Timestamp = "2026-11-29T03:00:00Z".parse().unwrap();
        let whole = Phrases {
            because: Some(Because::Network),
            effect: Some(Effect::SomeFail),
            words: Some(Text::new("An engineer is on site.", "Mae peiriannydd ar y safle.")),
            advice: Some(Advice::Retry),
            next: Some("2026-11-29T03:30:00Z".parse().unwrap()),
        };
        let said = phrased(&whole, &zone, now).unwrap();
        assert_eq!(
            said.en,
            "The cause is in the network. Some requests fail. An engineer is on site. Try again later what failed. \
             We say more by 03:30 GMT at the latest."
        );
        assert_eq!(
            said.cy,
            "Yn y rhwydwaith y mae’r achos. Mae rhai ceisiadau’n methu. Mae peiriannydd ar y safle. Rhowch gynnig arall \
             yn nes ymlaen ar yr hyn a fethodd. Byddwn yn dweud mwy erbyn 03:30 GMT fan bellaf."
        );
        let mut seen = std::collections::BTreeSet::new();
        let each = Because::ALL.map(|because| Phrases { because: Some(because), ..Phrases::default() });
        let each = each
            .into_iter()
            .chain(Effect::ALL.map(|effect| Phrases { effect: Some(effect), ..Phrases::default() }));
        let each =
            each.chain(Advice::ALL.map(|advice| Phrases { advice: Some(advice), ..Phrases::default() }));
        for phrases in each {
            let said = phrased(&phrases, &zone, now).unwrap();
            assert!(said.en.ends_with('.') && said.cy.ends_with('.') && said.en != said.cy, "{said:?}");
            assert!(seen.insert(said.en.clone()), "{said:?}");
        }
    }
}
