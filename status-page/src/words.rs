//! The words of the pages, from `locales/{en,cy}/*.ftl`: the same keys and variables in both languages (invariant 15).

use domain::Language;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use rust_embed::RustEmbed;
use std::{borrow::Cow, fmt};
use unic_langid::LanguageIdentifier;

#[derive(RustEmbed)]
#[folder = "locales"]
pub(crate) struct Locales;

/// Why the words cannot be used: a mistake of ours that no visitor may meet, so the start fails.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// A file is not text or not fluent.
    #[error("locales/{file} is broken: {why}; mend the file and build again")]
    Broken {
        /// The file, from `locales/`.
        file: String,
        /// What the parser says.
        why: String,
    },
    /// A word was asked for that is not there, or lacks a variable.
    #[error("no words for '{key}' in {language}: {why}; add them to locales/{language}/")]
    Missing {
        /// The key.
        key: String,
        /// The language.
        language: Language,
        /// What is missing.
        why: String,
    },
}

/// All words in both languages.
pub struct Words {
    en: FluentBundle<FluentResource>,
    cy: FluentBundle<FluentResource>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

/// The variables of a message.
pub(crate) type Args<'a> = [(&'static str, FluentValue<'a>)];

impl Words {
    /// Reads the embedded files.
    pub fn load() -> Result<Self, WordsError> {
        Ok(Self { en: bundle(Language::En)?, cy: bundle(Language::Cy)? })
    }

    /// The words for `key` in `language`, with `args` put in.
    pub(crate) fn find(&self, language: Language, key: &str, args: &Args<'_>) -> Result<String, WordsError> {
        let bundle = match language {
            Language::En => &self.en,
            Language::Cy => &self.cy,
        };
        let missing = |why: String| WordsError::Missing { key: key.to_owned(), language, why };
        let pattern = bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(|| missing("there is no such key".to_owned()))?;
        let mut values = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            values.set(*name, value.clone());
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&values), &mut errors);
        match errors.first() {
            None => Ok(text.into_owned()),
            Some(error) => Err(missing(error.to_string())),
        }
    }
}

fn bundle(language: Language) -> Result<FluentBundle<FluentResource>, WordsError> {
    let tag: LanguageIdentifier = language.tag().parse().map_err(|error| WordsError::Broken {
        file: language.tag().to_owned(),
        why: format!("not a language tag: {error}"),
    })?;
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Isolation marks (U+2068, U+2069) would stand in the HTML, in copied text and in titles.
    bundle.set_use_isolating(false);
    for (file, source) in sources(language)? {
        let broken = |why: String| WordsError::Broken { file: file.clone(), why };
        let resource = FluentResource::try_new(source).map_err(|(_, errors)| {
            broken(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        bundle.add_resource(resource).map_err(|errors| {
            broken(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
    }
    Ok(bundle)
}

pub(crate) fn sources(language: Language) -> Result<Vec<(String, String)>, WordsError> {
    let prefix = format!("{}/", language.tag());
    let mut files: Vec<String> =
        Locales::iter().filter(|file| file.starts_with(&prefix)).map(Cow::into_owned).collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let source = Locales::get(&file)
                .and_then(|embedded| String::from_utf8(embedded.data.into_owned()).ok())
                .ok_or_else(|| WordsError::Broken {
                    file: file.clone(),
                    why: "it cannot be read as text".to_owned(),
                })?;
            Ok((file, source))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Keys with the variables they use, read from the source text: one message starts at the margin.
    fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, source) in sources(language).unwrap() {
            let mut current = String::new();
            for line in source.lines() {
                if let Some((key, _)) = line.split_once(" =")
                    && line.starts_with(|c: char| c.is_ascii_lowercase())
                {
                    current = key.to_owned();
                    let before = keys.insert(current.clone(), BTreeSet::new());
                    assert!(before.is_none(), "{key} stands twice in {language}");
                }
                for part in line.split('$').skip(1) {
                    let name: String =
                        part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                    keys.get_mut(&current).unwrap().insert(name);
                }
            }
        }
        keys
    }

    #[test]
    fn english_and_welsh_have_the_same_keys_and_variables() {
        let (en, cy) = (keys(Language::En), keys(Language::Cy));
        assert!(en.len() > 50);
        assert_eq!(en, cy);
    }

    #[test]
    fn english_and_welsh_come_in_the_same_files() {
        let names = |language: Language| -> Vec<String> {
            sources(language).unwrap().into_iter().map(|(file, _)| file[3..].to_owned()).collect()
        };
        assert_eq!(names(Language::En), names(Language::Cy));
    }

    #[test]
    fn every_welsh_plural_has_its_six_forms_and_every_english_one_its_two() {
        for (language, forms) in [
            (Language::En, ["one", "other"].as_slice()),
            (Language::Cy, ["zero", "one", "two", "few", "many", "other"].as_slice()),
        ] {
            let mut selectors = 0;
            for (file, source) in sources(language).unwrap() {
                for block in source.split("->").skip(1) {
                    let block = block.split("\n    }").next().unwrap();
                    if !block.contains("[one]") && !block.contains("[other]") {
                        continue;
                    }
                    selectors += 1;
                    for form in forms {
                        assert!(block.contains(&format!("[{form}]")), "{file}: no [{form}] in{block}");
                    }
                }
            }
            assert!(selectors > 0);
        }
    }

    #[test]
    fn welsh_counts_choose_their_own_form() {
        let words = Words::load().unwrap();
        let say = |count: i64| words.find(Language::Cy, "minutes", &[("count", count.into())]).unwrap();
        assert_eq!(say(1), "1 munud");
        assert_eq!(say(2), "2 funud");
        assert_eq!(say(3), "3 munud");
        assert_eq!(say(11), "11 munud");
    }

    #[test]
    fn a_missing_word_or_variable_is_an_error_that_names_it() {
        let words = Words::load().unwrap();
        let error = words.find(Language::Cy, "no-such-key", &[]).unwrap_err().to_string();
        assert!(error.contains("no-such-key") && error.contains("locales/cy/"), "{error}");
        assert!(words.find(Language::En, "minutes", &[]).is_err());
    }
}
