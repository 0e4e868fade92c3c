//! I7: what is told from outside commutes, as far as it can, and may be told again.

use crate::{dice::Dice, judge::Judge};
use domain::{Event, Incident, Message, Situation, Told, decide};
use jiff::Timestamp;
use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

impl Judge {
    /// I7: whatever is told twice is told once; what carriers say commutes among itself, and changes nothing of what people
    /// and Alertmanagers say, before or after it.
    pub(crate) fn i7_callbacks_commute(
        &self,
        dice: &mut Dice,
        situation: &Situation,
        rows: &[(u64, Told)],
        now: Timestamp,
    ) {
        self.order_does_not_matter(dice, situation, rows, now);
        self.twice_is_once(situation, rows, now);
        self.carriers_change_no_answer(dice, situation, rows, now);
    }

    fn twice_is_once(&self, situation: &Situation, rows: &[(u64, Told)], now: Timestamp) {
        for (_, told) in rows.iter().filter(|(_, told)| is_callback(told)) {
            let [once, twice] = [1, 2].map(|times| after(situation, vec![told; times], now, known));
            self.holds(once == twice, || format!("I7: {told:?} twice: {once:?}\n and {twice:?}"));
        }
    }

    fn carriers_change_no_answer(
        &self,
        dice: &mut Dice,
        situation: &Situation,
        rows: &[(u64, Told)],
        now: Timestamp,
    ) {
        let told: Vec<&Told> = rows.iter().map(|(_, told)| told).filter(|told| is_callback(told)).collect();
        let (receipts, others): (Vec<_>, Vec<_>) = told.iter().copied().partition(|told| is_receipt(told));
        if receipts.is_empty() || others.is_empty() {
            return;
        }
        let mut mixed = others.clone();
        for receipt in &receipts {
            let at = dice.within(0, i64::try_from(mixed.len()).expect("it fits") + 1);
            mixed.insert(usize::try_from(at).expect("it fits"), receipt);
        }
        let [one, two] = [told, mixed].map(|order| after(situation, order, now, has_answered));
        self.holds(one == two, || format!("I7: {one:?}\n and {two:?}"));
    }

    fn order_does_not_matter(
        &self,
        dice: &mut Dice,
        situation: &Situation,
        rows: &[(u64, Told)],
        now: Timestamp,
    ) {
        let receipts: Vec<&Told> =
            rows.iter().map(|(_, told)| told).filter(|told| is_receipt(told)).collect();
        if receipts.len() < 2 {
            return;
        }
        let mut other = receipts.clone();
        other.extend(receipts.first());
        dice.shuffle(&mut other);
        let [one, two] = [receipts, other].map(|order| after(situation, order, now, known));
        self.holds(one == two, || format!("I7: {one:?}\n and {two:?}"));
    }
}

/// What `says` says of each incident when this was told in this order.
fn after(
    situation: &Situation,
    order: Vec<&Told>,
    now: Timestamp,
    says: fn(&Arc<Incident>) -> String,
) -> Vec<String> {
    let fold = |situation: Situation, told: &Told| decide(&situation, &Event::Told(told.clone()), now).after;
    order.into_iter().fold(situation.clone(), fold).incidents.values().map(says).collect()
}

/// All that is known of an incident's calls and ticket, whatever the order in which it was told.
fn known(incident: &Arc<Incident>) -> String {
    let by = incident.acknowledged.as_ref().map(|taken| &taken.by);
    let mut known = format!("{} {:?} {:?} {by:?}", incident.id, incident.status, incident.ticket);
    for callout in incident.escalation.iter().flat_map(|running| &running.callouts) {
        let ways: Vec<_> = callout.ways.iter().map(|way| (way, callout.reached_by(*way))).collect();
        let answer = callout.answer.map(|(_, answer)| answer);
        write!(known, " {} {ways:?} {answer:?}", callout.number).expect("into a String");
    }
    known
}

/// Who has it and who said what: that is so whatever carriers say before or after it.
fn has_answered(incident: &Arc<Incident>) -> String {
    let by = incident.acknowledged.as_ref().map(|taken| &taken.by);
    let mut said = format!("{} {:?} {by:?}", incident.id, incident.status);
    for callout in incident.escalation.iter().flat_map(|running| &running.callouts) {
        let answer = callout.answer.map(|(_, answer)| answer);
        let reached: BTreeSet<_> = callout.delivered.iter().collect();
        write!(said, " {} {answer:?} {reached:?}", callout.number).expect("into a String");
    }
    said
}

/// Whether a row of the inbox is a carrier's or the deliverer's word.
const fn is_receipt(told: &Told) -> bool {
    matches!(told.what, Message::Receipt(_))
}

/// Whether somebody outside tells it and may tell it again: neither a command nor what we read.
const fn is_callback(told: &Told) -> bool {
    matches!(
        told.what,
        Message::Receipt(_) | Message::Answer { .. } | Message::Reply { .. } | Message::Alerts(_)
    )
}
