//! The keys of sealed history: the hours, days or months of one track lie beside each other.

/// Hours, days or months that a track has slots for: hours until the year 2448.
const SLOTS: i64 = 1 << 22;

/// Of a track, by its number, and an hour or a day since 1970, or a month since the year 0.
pub(crate) const fn slot(track: i64, place: i64) -> i64 {
    track * SLOTS + place
}

/// The track's number, and the hour, day or month.
pub(crate) const fn of_slot(slot: i64) -> (i64, i64) {
    (slot.div_euclid(SLOTS), slot.rem_euclid(SLOTS))
}
