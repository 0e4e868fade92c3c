//! The keys of sealed history: the hours, days or months of one track lie beside each other.

/// Hours, days or months that a track has slots for: hours until the year 2448.
const SLOTS: i64 = 1 << 22;

/// Of a track, by its number, and an hour or a day since 1970, or a month since the year 0. What is before or after all slots is
/// in the first or the last of them, in which nothing is: never among those of another track.
pub(crate) const fn slot(track: i64, place: i64) -> i64 {
    let place = match place {
        ..0 => 0,
        SLOTS.. => SLOTS - 1,
        within => within,
    };
    track * SLOTS + place
}

/// The track's number, and the hour, day or month.
pub(crate) const fn of_slot(slot: i64) -> (i64, i64) {
    (slot.div_euclid(SLOTS), slot.rem_euclid(SLOTS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slot_is_of_its_track_whatever_is_asked_for(track in 0..1_i64 << 40, place in any::<i64>()) {
            let (of, within) = of_slot(slot(track, place));
            prop_assert_eq!(of, track);
            prop_assert!(!(0..SLOTS).contains(&place) || within == place);
        }
    }
}
