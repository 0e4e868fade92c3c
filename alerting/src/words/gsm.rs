//! Texts in the GSM 7-bit alphabet: one letter beyond it and a text holds 70 characters instead of 160.

use domain::Configuration;

/// The basic alphabet of GSM 03.38 that is not ASCII.
const BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// `text` in letters that each take one place of a text; Welsh ŵ and ŷ become w and y (domain.md §3.5).
pub(super) fn plain(text: &str) -> String {
    text.chars().map(letter).collect()
}

/// Characters of a text that are taken before ours begins: the text service's name for us.
pub(super) fn taken(configuration: &Configuration) -> usize {
    configuration.text_prefix.as_ref().map_or(0, |name| name.chars().count() + ": ".len())
}

/// Whether each character of `text` takes one place of a text.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(|c| letter(c).chars().eq([c]))
}

fn letter(c: char) -> String {
    let instead = match c {
        'â' | 'á' | 'ã' => "a",
        'Â' | 'Á' | 'À' | 'Ã' => "A",
        'ê' | 'ë' => "e",
        'Ê' | 'Ë' | 'È' => "E",
        'î' | 'ï' | 'í' => "i",
        'Î' | 'Ï' | 'Í' | 'Ì' => "I",
        'ô' | 'ó' | 'õ' => "o",
        'Ô' | 'Ó' | 'Ò' | 'Õ' => "O",
        'û' | 'ú' => "u",
        'Û' | 'Ú' | 'Ù' => "U",
        'ŵ' | 'ẁ' | 'ẃ' | 'ẅ' => "w",
        'Ŵ' | 'Ẁ' | 'Ẃ' | 'Ẅ' => "W",
        'ŷ' | 'ỳ' | 'ý' | 'ÿ' => "y",
        'Ŷ' | 'Ỳ' | 'Ý' | 'Ÿ' => "Y",
        '’' | '‘' | '`' | '^' => "'",
        '“' | '”' => "\"",
        '–' | '—' | '~' => "-",
        '[' | '{' => "(",
        ']' | '}' => ")",
        '|' | '\\' => "/",
        '…' => "...",
        '€' => "EUR",
        c if c.is_ascii_graphic() || c == ' ' || BEYOND_ASCII.contains(c) => return c.to_string(),
        c if c.is_whitespace() => " ",
        _ => "?",
    };
    instead.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welsh_letters_keep_their_word_and_lose_their_hat() {
        assert_eq!(plain("Tŷ Gŵyl – canlyniadau’r ôl"), "Ty Gwyl - canlyniadau'r ol");
        assert_eq!(plain("à è ì ò ù ä ö ü"), "à è ì ò ù ä ö ü");
        assert_eq!(plain("a\nb 漢 [C-42]"), "a b ? (C-42)");
    }
}
