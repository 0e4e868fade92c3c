//! The word that was probably meant.

/// The candidate nearest to `word`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', ' '], "-");
    let wanted = plain(word);
    let length = wanted.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = plain(candidate);
            let distance = if known == wanted {
                0
            } else if length >= 3 && known.starts_with(&wanted) {
                1 // an abbreviation: prod
            } else {
                strsim::damerau_levenshtein(&wanted, &known)
            };
            (distance <= (length / 3).max(1)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// What to say to somebody who wrote `word`: the nearest word, else all of them when they are few.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    const FEW: usize = 20;
    if let Some(near) = nearest(word, candidates.clone()) {
        return Some(format!("did you mean '{near}'?"));
    }
    let known: Vec<&str> = candidates.into_iter().collect();
    match known.as_slice() {
        [] => None,
        [only] => Some(format!("there is only '{only}'")),
        known if known.len() <= FEW => Some(format!("one of: {}", known.join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let check = |word, expected| {
            let candidates = ["timeout", "production", "sit", "hand_over", "url"];
            assert_eq!(nearest(word, candidates), expected, "{word}");
        };
        check("timout", Some("timeout"));
        check("Timeout", Some("timeout"));
        check("prod", Some("production"));
        check("hand-over", Some("hand_over"));
        check("handover", Some("hand_over"));
        check("ulr", Some("url"));
        check("colour", None);
        check("", None);
    }

    #[test]
    fn says_all_of_them_when_none_is_near_and_they_are_few() {
        assert_eq!(did_you_mean("colour", ["red", "green"]).unwrap(), "one of: red, green");
        assert_eq!(did_you_mean("colour", []), None);
    }
}
