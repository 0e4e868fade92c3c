//! `curiad rota ics`: the shifts to come as a calendar.

use super::Attended;
use crate::{
    exit::{Failed, SOFTWARE, USAGE},
    terminal::put,
};
use domain::{Language, PersonId, Rota, RotaId};
use jiff::Timestamp;
use status_page::{Turn, on_call_calendar};
use std::ops::Range;

pub(super) fn print(
    attended: &Attended,
    whose: &str,
    range: Range<Timestamp>,
    language: Language,
) -> Result<(), Failed> {
    let configuration = &attended.configuration;
    let of_rota = RotaId::parse(whose).ok().and_then(|id| configuration.rotas.get_key_value(&id));
    let of_person = PersonId::parse(whose).ok().filter(|id| configuration.people.contains_key(id));
    let (turns, name) = match (of_rota, of_person) {
        (Some((id, rota)), _) => (turns(attended, (id, rota), &range).collect::<Vec<_>>(), id.as_str()),
        (None, Some(person)) => {
            let all = configuration.rotas.iter().flat_map(|rota| turns(attended, rota, &range));
            let mut own: Vec<Turn> = all.filter(|turn| turn.shift.person == person).collect();
            own.sort_by_key(|turn| turn.shift.from);
            (own, configuration.people.get(&person).map_or(whose, |person| &person.name))
        }
        (None, None) => {
            let known = configuration.rotas.keys().map(RotaId::as_str);
            let known: Vec<&str> = known.chain(configuration.people.keys().map(PersonId::as_str)).collect();
            let what = format!("there is neither a rota nor a person '{whose}'");
            return Err(Failed::new(USAGE, format!("{what}\nit is one of {}", known.join(", "))));
        }
    };
    let calendar = on_call_calendar(&turns, name, &configuration.site, language, range.start);
    put(&calendar.map_err(|error| Failed::new(SOFTWARE, error.to_string()))?, "the calendar")
}

/// The shifts of a rota in a range, each whole: what is cut by the range begins when it really does.
fn turns<'a>(
    attended: &'a Attended,
    (id, rota): (&'a RotaId, &'a Rota),
    range: &Range<Timestamp>,
) -> impl Iterator<Item = Turn> + 'a {
    let shifts = rota.shifts(range.start, range.end).into_iter();
    shifts.filter_map(|shift| rota.on_call(shift.from)).map(|shift| {
        let name = attended.name(&shift.person).to_owned();
        Turn { rota: id.clone(), shift, name }
    })
}
