//! Something of each track, cheap to copy.

use crate::{Configuration, TrackId};
use std::{collections::HashMap, sync::Arc};

/// So many share a room: what is changed is copied by rooms, and each room has a pointer.
const ROOM: usize = 8;

/// Something of each track. A copy shares all with what it was copied from; the first change to it copies the pointers to all
/// rooms, and each the room of what it changes. A tree copies the way there instead, and takes five times the memory: of ten
/// thousand tracks, each outcome changes one, and every second all are looked through.
///
/// Tracks of the configuration have their places from the start. What has none is given one, and that copies all places: it is
/// rare, and they are made anew with the next configuration.
#[derive(Debug, Clone)]
pub struct PerTrack<T> {
    places: Places,
    rooms: Arc<Vec<Arc<[Option<T>; ROOM]>>>,
}

/// Where in the rooms each track is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Arc<HashMap<TrackId, usize>>);

impl Places {
    /// For all tracks of a configuration.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let ids = configuration.checks.values().flat_map(|check| {
            check.from.iter().map(|vantage| TrackId { check: check.id.clone(), vantage: vantage.clone() })
        });
        let mut places: HashMap<TrackId, usize> = ids.zip(0..).collect();
        places.shrink_to_fit();
        Self(Arc::new(places))
    }

    fn get(&self, id: &TrackId) -> Option<usize> {
        self.0.get(id).copied()
    }

    fn get_or_add(&mut self, id: TrackId) -> usize {
        self.get(&id).unwrap_or_else(|| {
            let next = self.0.len();
            Arc::make_mut(&mut self.0).insert(id, next);
            next
        })
    }
}

impl<T> Default for PerTrack<T> {
    fn default() -> Self {
        Self::among(&Places::default())
    }
}

impl<T> PerTrack<T> {
    /// Of nobody yet.
    pub(crate) fn among(places: &Places) -> Self {
        Self { places: places.clone(), rooms: Arc::default() }
    }

    /// That of a track.
    pub fn get(&self, id: &TrackId) -> Option<&T> {
        self.at(self.places.get(id)?)
    }

    fn at(&self, place: usize) -> Option<&T> {
        self.rooms.get(place / ROOM)?.get(place % ROOM)?.as_ref()
    }

    /// Those that have any, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&TrackId, &T)> {
        self.places.0.iter().filter_map(|(id, place)| Some((id, self.at(*place)?)))
    }

    /// Whose there are, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = &TrackId> {
        self.iter().map(|(id, _)| id)
    }

    /// All there are.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.rooms.iter().flat_map(|room| room.iter().flatten())
    }
}

impl<T: Clone> PerTrack<T> {
    /// Takes the place of what there was.
    pub fn insert(&mut self, id: TrackId, value: T) {
        let place = self.places.get_or_add(id);
        let rooms = Arc::make_mut(&mut self.rooms);
        while rooms.len() <= place / ROOM {
            rooms.push(Arc::new([const { None }; ROOM]));
        }
        if let Some(here) =
            rooms.get_mut(place / ROOM).and_then(|room| Arc::make_mut(room).get_mut(place % ROOM))
        {
            *here = Some(value);
        }
    }

    /// What is kept of those that have a place; the places themselves are exchanged.
    #[must_use]
    pub(crate) fn moved(&self, places: &Places) -> Self {
        let mut moved = Self::among(places);
        for (id, value) in self.iter().filter(|(id, _)| places.get(id).is_some()) {
            moved.insert(id.clone(), value.clone());
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiId, CheckId, Environment, InstanceId, OperationId, VantageId};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn id(number: u8) -> TrackId {
        let api: ApiId = "results".parse().unwrap();
        let instance = InstanceId { api, environment: Environment::Production };
        let operation: OperationId = format!("read-{number}").parse().unwrap();
        TrackId { check: CheckId { instance, operation }, vantage: "internet".parse::<VantageId>().unwrap() }
    }

    fn all(here: &PerTrack<u32>) -> BTreeMap<TrackId, u32> {
        let all: BTreeMap<TrackId, u32> = here.iter().map(|(id, value)| (id.clone(), *value)).collect();
        assert!(all.iter().all(|(id, value)| here.get(id) == Some(value)));
        let mut values: Vec<u32> = here.values().copied().collect();
        let mut expected: Vec<u32> = all.values().copied().collect();
        values.sort_unstable();
        expected.sort_unstable();
        assert_eq!(values, expected);
        assert_eq!(here.keys().count(), all.len());
        all
    }

    proptest! {
        #[test]
        fn it_is_a_map_and_a_copy_keeps_what_it_was(
            placed in 0_u8..40,
            done in proptest::collection::vec((0_u8..40, any::<u32>(), any::<bool>()), 0..200),
            left in proptest::collection::btree_set(0_u8..40, 0..40),
        ) {
            let places = (0..placed).map(id).zip(0..).collect();
            let mut here = PerTrack::among(&Places(Arc::new(places)));
            let mut model = BTreeMap::new();
            let mut copies = Vec::new();
            for (number, value, copied) in done {
                if copied {
                    copies.push((here.clone(), model.clone()));
                }
                here.insert(id(number), value);
                model.insert(id(number), value);
                prop_assert_eq!(here.get(&id(number)), Some(&value));
            }
            prop_assert_eq!(all(&here), model.clone());
            for (copy, model) in copies {
                prop_assert_eq!(all(&copy), model);
            }
            let places = Places(Arc::new(left.iter().copied().map(id).zip(0..).collect()));
            model.retain(|known, _| places.get(known).is_some());
            prop_assert_eq!(all(&here.moved(&places)), model);
        }
    }
}
