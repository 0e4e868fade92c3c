//! As much of SMTP as STARTTLS needs (RFC 5321 §4.2, RFC 3207).

use domain::{Failure, FailureKind, Layer};

/// One whole reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// One of its lines offers STARTTLS.
    pub(crate) starttls: bool,
}

/// Reads a reply from the start of `bytes`: `None` while it is not whole, `Some(None)` when it is no SMTP.
#[expect(clippy::option_option, reason = "the listener stops at the outer, the caller judges the inner")]
pub(crate) fn reply(bytes: &[u8]) -> Option<Option<Reply>> {
    let mut starttls = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let whole = line.ends_with(b"\n");
        let line = line.trim_ascii_end();
        let digits = line.get(..line.len().min(3)).unwrap_or_default();
        if !digits.iter().all(u8::is_ascii_digit) || (whole && digits.len() < 3) {
            return Some(None);
        }
        if !whole {
            return None;
        }
        let rest = line.get(4..).unwrap_or_default();
        starttls |= rest.eq_ignore_ascii_case(b"STARTTLS");
        match line.get(3) {
            Some(b'-') => {}
            None | Some(b' ') => {
                let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
                return Some(Some(Reply { code, starttls }));
            }
            Some(_) => return Some(None),
        }
    }
    None
}

impl Reply {
    /// Whether it is the reply that was hoped for.
    pub(crate) fn expect(self, code: u16) -> Result<(), Failure> {
        if self.code == code {
            return Ok(());
        }
        // 4yz: not now; 5yz: never (RFC 5321 §4.2.1).
        let (layer, kind) = if (400..500).contains(&self.code) {
            (Layer::Backend, FailureKind::ServerError)
        } else {
            (Layer::Contract, FailureKind::RequestRefused)
        };
        let message = format!("the mail server answers {}, not {code}", self.code);
        Err(Failure { layer, kind, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_when_it_is_whole() {
        let whole = |code, starttls| Some(Some(Reply { code, starttls }));
        assert_eq!(reply(b"220 mail.example ready\r\n"), whole(220, false));
        assert_eq!(reply(b"250-mail\r\n250-SIZE 10\r\n250 STARTTLS\r\n"), whole(250, true));
        assert_eq!(reply(b"250-starttls\r\n250 HELP\r\n"), whole(250, true));
        assert_eq!(reply(b"421\r\n"), whole(421, false));
        for more in ["", "2", "220", "220 ma", "250-mail\r\n", "250-mail\r\n250"] {
            assert_eq!(reply(more.as_bytes()), None, "{more}");
        }
        for wrong in ["SSH-2.0", "22\r\n", "\r\n", "220_x\r\n", "250-a\r\nx"] {
            assert_eq!(reply(wrong.as_bytes()), Some(None), "{wrong}");
        }
    }
}
