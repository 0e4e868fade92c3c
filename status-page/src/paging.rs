//! Part of a list at a time: `?limit=` and `?cursor=`, and where the next part is in `Link` (RFC 8288).

use crate::{form, incident_view::MAX_INCIDENTS, problem::Problem};

/// The part of `ids` that `query` asks for, and the query of the next one, if there is more. A cursor is the last id of the
/// part before.
pub(crate) fn part(ids: &[String], query: &str) -> Result<(std::ops::Range<usize>, Option<String>), Problem> {
    let limit = match form::value(query, "limit") {
        None => MAX_INCIDENTS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_INCIDENTS).contains(limit))
            .ok_or_else(|| Problem::bad(format!("'limit' is a number from 1 to {MAX_INCIDENTS}")))?,
    };
    let from = match form::value(query, "cursor") {
        None => 0,
        Some(cursor) => {
            ids.iter().position(|id| *id == cursor).map(|place| place + 1).ok_or(Problem::NO_SUCH_PLACE)?
        }
    };
    let to = (from + limit).min(ids.len());
    let last = ids.get(from..to).and_then(<[String]>::last).filter(|_| to < ids.len());
    Ok((from..to, last.map(|last| format!("?limit={limit}&cursor={last}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_part_by_part() {
        let ids = ["C-5", "C-3", "C-1"].map(str::to_owned);
        assert_eq!(part(&ids, ""), Ok((0..3, None)));
        assert_eq!(part(&ids, "limit=2"), Ok((0..2, Some("?limit=2&cursor=C-3".to_owned()))));
        assert_eq!(part(&ids, "limit=2&cursor=C-3"), Ok((2..3, None)));
        assert_eq!(part(&ids, "cursor=C-1"), Ok((3..3, None)));
        for wrong in ["limit=0", "limit=201", "limit=x", "limit=", "cursor=C-2", "cursor="] {
            assert!(part(&ids, wrong).is_err(), "{wrong}");
        }
        assert_eq!(part(&[], "limit=1"), Ok((0..0, None)));
    }
}
