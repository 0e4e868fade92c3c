//! What others wrote, made fit to be kept: cut short, and without what may be an NHS number (invariant 14).

/// Characters of a value that may be kept.
const KEPT: usize = 80;

/// At most 80 characters, in one line, ten-digit numbers struck out.
pub(crate) fn scrubbed(text: &str) -> String {
    // An NHS number that straddles the cut must not survive in part, so strike out first, in more than is kept.
    let start: String = text.chars().take(KEPT * 4).collect();
    let kept = domain::scrubbed(&start);
    let long = kept.chars().count() > KEPT || text.chars().nth(KEPT * 4).is_some();
    if !long {
        return kept;
    }
    let cut: String = kept.chars().take(KEPT - 1).chain(['…']).collect();
    // What the cut left of a longer number may look like one.
    domain::scrubbed(&cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_no_number_survives_the_cut() {
        let long = scrubbed(&"ŵ".repeat(500));
        assert_eq!(long.chars().count(), 80);
        assert!(long.ends_with('…'));
        for before in 60..90 {
            let straddles = format!("{}9434765919 and more words that go on", "x".repeat(before));
            let seen = scrubbed(&straddles);
            assert!(!seen.contains('9'), "{seen}");
        }
        for before in 60..90 {
            let longer = scrubbed(&format!("{}4096010100000 and more words that go on", "x".repeat(before)));
            assert_eq!(domain::scrubbed(&longer), longer);
        }
        let numbers = scrubbed(&"943 476 5919 ".repeat(100));
        assert!(!numbers.contains("943"), "{numbers}");
    }
}
