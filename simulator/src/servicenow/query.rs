//! `ServiceNow`'s encoded query, with its trap: what it does not understand it leaves out, and answers the rest.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A row of a table: every value is a string.
pub(super) type Row = BTreeMap<&'static str, String>;

const OPERATORS: [(&str, Operator); 13] = [
    ("!=", Operator::Not),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("ISNOTEMPTY", Operator::Filled),
    ("ISEMPTY", Operator::Empty),
    ("STARTSWITH", Operator::StartsWith),
    ("ENDSWITH", Operator::EndsWith),
    ("NOT IN", Operator::NotIn),
    ("LIKE", Operator::Like),
    ("IN", Operator::In),
    ("=", Operator::Is),
    (">", Operator::MoreThan),
    ("<", Operator::LessThan),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    Not,
    AtLeast,
    AtMost,
    MoreThan,
    LessThan,
    Filled,
    Empty,
    StartsWith,
    EndsWith,
    Like,
    In,
    NotIn,
}

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    column: String,
    operator: Operator,
    value: String,
}

impl Condition {
    fn parse(text: &str, known: &impl Fn(&str) -> bool) -> Option<Self> {
        let end = text
            .find(|letter: char| !(letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'))
            .unwrap_or(text.len());
        let (column, rest) = text.split_at_checked(end)?;
        let (sign, operator) = OPERATORS.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
        let value = rest.strip_prefix(sign)?;
        known(column).then(|| Self { column: column.to_owned(), operator, value: value.to_owned() })
    }

    fn holds(&self, row: &Row) -> bool {
        let actual = row.get(self.column.as_str()).map_or("", String::as_str);
        let value = self.value.as_str();
        let order = compare(actual, value);
        match self.operator {
            Operator::Is => actual == value,
            Operator::Not => actual != value,
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
            Operator::MoreThan => order == Ordering::Greater,
            Operator::LessThan => order == Ordering::Less,
            Operator::Filled => !actual.is_empty(),
            Operator::Empty => actual.is_empty(),
            Operator::StartsWith => actual.starts_with(value),
            Operator::EndsWith => actual.ends_with(value),
            Operator::Like => actual.to_lowercase().contains(&value.to_lowercase()),
            Operator::In => value.split(',').any(|one| one == actual),
            Operator::NotIn => value.split(',').all(|one| one != actual),
        }
    }
}

fn compare(left: &str, right: &str) -> Ordering {
    match (left.parse::<i64>(), right.parse::<i64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// A parsed query: alternatives, each a conjunction of disjunctions; and an order.
#[derive(Debug, Default)]
pub(super) struct Query {
    alternatives: Vec<Vec<Vec<Condition>>>,
    order: Vec<(String, bool)>,
    /// The parts that made no sense.
    pub(super) ignored: Vec<String>,
}

impl Query {
    pub(super) fn parse(text: &str, known: impl Fn(&str) -> bool) -> Self {
        let mut query = Self { alternatives: vec![Vec::new()], ..Self::default() };
        for part in text.split('^').filter(|part| !part.is_empty() && *part != "EQ") {
            if let Some(column) = part.strip_prefix("ORDERBYDESC") {
                query.order_by(column, true, &known);
            } else if let Some(column) = part.strip_prefix("ORDERBY") {
                query.order_by(column, false, &known);
            } else if let Some(rest) = part.strip_prefix("NQ") {
                query.alternatives.push(Vec::new());
                query.add(rest, false, &known);
            } else if let Some(rest) = part.strip_prefix("OR") {
                query.add(rest, true, &known);
            } else {
                query.add(part, false, &known);
            }
        }
        query
    }

    fn order_by(&mut self, column: &str, descending: bool, known: &impl Fn(&str) -> bool) {
        if known(column) {
            self.order.push((column.to_owned(), descending));
        } else {
            self.ignored.push(column.to_owned());
        }
    }

    fn add(&mut self, text: &str, or: bool, known: &impl Fn(&str) -> bool) {
        let Some(condition) = Condition::parse(text, known) else {
            self.ignored.push(text.to_owned());
            return;
        };
        let Some(all_of) = self.alternatives.last_mut() else {
            return;
        };
        match all_of.last_mut() {
            Some(any_of) if or => any_of.push(condition),
            _ => all_of.push(vec![condition]),
        }
    }

    /// The rows that match, in order.
    pub(super) fn select(&self, rows: Vec<Row>) -> Vec<Row> {
        let mut found: Vec<Row> = rows.into_iter().filter(|row| self.matches(row)).collect();
        found.sort_by(|left, right| self.compare(left, right));
        found
    }

    fn matches(&self, row: &Row) -> bool {
        self.alternatives
            .iter()
            .any(|all_of| all_of.iter().all(|any_of| any_of.iter().any(|condition| condition.holds(row))))
    }

    fn compare(&self, left: &Row, right: &Row) -> Ordering {
        let value = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_default();
        self.order
            .iter()
            .map(|(column, descending)| {
                let order = compare(&value(left, column), &value(right, column));
                if *descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        [("1", "a", "1"), ("2", "b", "2"), ("3", "b", "10")]
            .into_iter()
            .map(|(number, key, state)| {
                Row::from([
                    ("number", number.to_owned()),
                    ("correlation_id", key.to_owned()),
                    ("state", state.to_owned()),
                ])
            })
            .collect()
    }

    fn ask(text: &str) -> Vec<String> {
        let known = |column: &str| ["number", "correlation_id", "state"].contains(&column);
        Query::parse(text, known)
            .select(rows())
            .into_iter()
            .filter_map(|row| row.get("number").cloned())
            .collect()
    }

    #[test]
    fn conditions_are_joined_ordered_and_compared_as_numbers_where_they_are_numbers() {
        assert_eq!(ask("correlation_id=b"), ["2", "3"]);
        assert_eq!(ask("correlation_id=b^ORDERBYDESCstate"), ["3", "2"]);
        assert_eq!(ask("correlation_id=a^ORcorrelation_id=b^state>=2"), ["2", "3"]);
        assert_eq!(ask("correlation_id=a^NQstate=10"), ["1", "3"]);
        assert_eq!(ask("numberIN1,3"), ["1", "3"]);
        assert_eq!(ask("correlation_idSTARTSWITHa^ORDERBYnumber"), ["1"]);
    }

    #[test]
    fn what_it_does_not_understand_is_left_out_and_everything_comes_back() {
        assert_eq!(ask("correlationid=b"), ["1", "2", "3"], "an unknown column");
        assert_eq!(ask("correlation_id~b"), ["1", "2", "3"], "an unknown operator");
        assert_eq!(ask("correlationid=b^state=2"), ["2"], "the rest still counts");
        assert_eq!(ask(""), ["1", "2", "3"]);
    }

    #[test]
    fn a_caret_in_a_key_cuts_the_key() {
        assert_eq!(ask("correlation_id=b^oops"), ["2", "3"]);
    }
}
