//! `curiad rota ics`: the shifts to come as a calendar.

use super::Attended;
use crate::{
    exit::{Failed, SOFTWARE, USAGE},
    terminal::put,
};
use domain::{Configuration, Language, PersonId, Rota, RotaId, Shift};
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
        (Some((id, rota)), _) => (turns(attended, (id, rota), &range), id.as_str()),
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

/// The shifts of a rota in a range, each whole: what is cut by the range begins when it really does. Behind them those that
/// were somebody's once, and are not, or not so long: they may stand in a calendar.
fn turns(attended: &Attended, (id, rota): (&RotaId, &Rota), range: &Range<Timestamp>) -> Vec<Turn> {
    let turn = |shift: Shift, cancelled| {
        let name = attended.name(&shift.person).to_owned();
        Turn { rota: id.clone(), shift, name, cancelled }
    };
    let shifts = rota.shifts(range.start, range.end).into_iter();
    let mut turns: Vec<Turn> =
        shifts.filter_map(|shift| rota.on_call(shift.from)).map(|shift| turn(shift, false)).collect();
    let (written, within) = (&attended.written, (range.start, range.end));
    for (from, to, person) in Configuration::shifts_once(written, &attended.overrides, id, within) {
        let is_it = |shift: &Shift| shift.from == from && shift.person == person;
        if turns.iter().any(|turn| is_it(&turn.shift)) {
            continue;
        }
        turns.push(match rota.on_call(from).filter(is_it) {
            Some(shorter) => turn(shorter, false),
            None => turn(Shift { from, to, person, layer: None, added: None }, true),
        });
    }
    turns
}
