//! Text inside XML.

use std::borrow::Cow;

/// `text` as it may stand between tags and in quotes; characters that XML 1.0 does not know are left out.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || !is_known(c);
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars().filter(|c| is_known(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

const fn is_known(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_reads_as_its_own_is_written_as_text() {
        assert_eq!(escape("plain â"), "plain â");
        assert_eq!(escape("<a b=\"c\"> & 'd'"), "&lt;a b=&quot;c&quot;&gt; &amp; &#39;d&#39;");
        assert_eq!(escape("a\u{0}\u{b}\u{ffff}b\n"), "ab\n");
    }
}
