//! Who is connected to a listener. When it is full, the one that has waited longest without asking gives way: so a crowd
//! that only connects displaces itself, and a reader who asks gets in.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// A whole first request comes within this. What comes in pieces is no better than what does not come.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Any later one within this. A proxy keeps its connections for 60 s by default (nginx), and must be the first to close:
/// a request that crosses our closing would fail.
const NEXT_REQUEST: Duration = Duration::from_secs(75);
/// An answer is made within this, the reading of the request's body included. `/ack` takes longest: three seconds.
const ANSWER: Duration = Duration::from_secs(30);
/// "It is full" is said so often.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How many connections a listener has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// From all addresses together.
    pub(crate) all: usize,
    /// From one address. Behind a reverse proxy all readers have one: so this is a good part of the whole.
    pub(crate) per_address: usize,
}

/// What is counted at a listener, for `/metrics`.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Connected now.
    pub(crate) open: AtomicU64,
    /// Gave way to another.
    pub(crate) displaced: AtomicU64,
    /// Turned away, because everybody was being answered.
    pub(crate) refused: AtomicU64,
    /// Closed without a whole request, or without an answer in time.
    pub(crate) timed_out: AtomicU64,
}

/// The connections of a listener.
#[derive(Debug)]
pub(crate) struct Room {
    /// Which listener, for people and `/metrics`.
    pub(crate) name: &'static str,
    pub(crate) counted: Counted,
    size: Size,
    opened: Instant,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    visits: HashMap<u64, Arc<Visit>>,
    of_address: HashMap<IpAddr, usize>,
    said: Option<Instant>,
}

#[derive(Debug)]
struct Visit {
    whose: IpAddr,
    /// Milliseconds since the room was opened, times four, and the stage since then.
    since: AtomicU64,
    gives_way: Notify,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has asked nothing yet.
    New,
    /// It is being answered.
    Asks,
    /// It was answered, and may ask again.
    Answered,
}

impl Room {
    pub(crate) fn new(name: &'static str, size: Size, now: Instant) -> Self {
        Self { name, counted: Counted::default(), size, opened: now, inside: Mutex::default() }
    }

    /// Lets one more in, in the place of another where it is full. `None`: all who are inside are being answered.
    pub(crate) fn enter(self: &Arc<Self>, from: IpAddr, now: Instant) -> Option<Place> {
        let whose = whose(from);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = inside.of_address.get(&whose).copied().unwrap_or(0);
        let theirs_full = theirs >= self.size.per_address;
        if theirs_full || inside.visits.len() >= self.size.all {
            self.say(&mut inside, theirs_full.then_some(whose), now);
            let waits = inside.visits.iter().filter(|(_, visit)| !theirs_full || visit.whose == whose);
            let longest = waits.filter_map(|(number, visit)| Some((visit.waits_since()?, *number))).min();
            let Some((_, number)) = longest else {
                self.counted.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            if let Some(visit) = inside.leave(number) {
                visit.gives_way.notify_one();
            }
            self.counted.displaced.fetch_add(1, Ordering::Relaxed);
        }
        let number = inside.next;
        inside.next += 1;
        let visit = Arc::new(Visit {
            whose,
            since: AtomicU64::new(self.stamp(Stage::New, now)),
            gives_way: Notify::new(),
        });
        inside.visits.insert(number, Arc::clone(&visit));
        *inside.of_address.entry(whose).or_default() += 1;
        self.count(&inside);
        Some(Place { room: Arc::clone(self), number, visit })
    }

    fn say(&self, inside: &mut Inside, address: Option<IpAddr>, now: Instant) {
        if inside.said.is_some_and(|said| now.duration_since(said) < SAID_EVERY) {
            return;
        }
        inside.said = Some(now);
        let Size { all, per_address } = self.size;
        let name = self.name;
        if let Some(address) = address {
            tracing::warn!(
                %address,
                "the {name} listener has {per_address} connections from one address, all that it may have: those that \
                 ask nothing give way"
            );
        } else {
            tracing::warn!(
                "the {name} listener is full, with {all} connections: those that ask nothing give way"
            );
        }
    }

    fn count(&self, inside: &Inside) {
        self.counted.open.store(u64::try_from(inside.visits.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn stamp(&self, stage: Stage, now: Instant) -> u64 {
        let passed = u64::try_from(now.duration_since(self.opened).as_millis()).unwrap_or(u64::MAX >> 2);
        (passed << 2) | stage as u64
    }
}

impl Inside {
    fn leave(&mut self, number: u64) -> Option<Arc<Visit>> {
        let visit = self.visits.remove(&number)?;
        if let Some(theirs) = self.of_address.get_mut(&visit.whose) {
            *theirs -= 1;
            if *theirs == 0 {
                self.of_address.remove(&visit.whose);
            }
        }
        Some(visit)
    }
}

impl Visit {
    fn now(&self) -> (Duration, Stage) {
        let stamp = self.since.load(Ordering::Relaxed);
        let stage = match stamp & 3 {
            0 => Stage::New,
            1 => Stage::Asks,
            _ => Stage::Answered,
        };
        (Duration::from_millis(stamp >> 2), stage)
    }

    /// Since when it has asked nothing.
    fn waits_since(&self) -> Option<Duration> {
        let (since, stage) = self.now();
        (stage != Stage::Asks).then_some(since)
    }
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    number: u64,
    visit: Arc<Visit>,
}

impl Place {
    /// A whole head has come.
    pub(super) fn asks(&self, now: Instant) {
        self.visit.since.store(self.room.stamp(Stage::Asks, now), Ordering::Relaxed);
    }

    /// Its answer is made.
    pub(super) fn answered(&self, now: Instant) {
        self.visit.since.store(self.room.stamp(Stage::Answered, now), Ordering::Relaxed);
    }

    /// When it will have taken too long, as things stand.
    pub(super) fn until(&self) -> Instant {
        let (since, stage) = self.visit.now();
        let limit = match stage {
            Stage::New => FIRST_REQUEST,
            Stage::Asks => ANSWER,
            Stage::Answered => NEXT_REQUEST,
        };
        self.room.opened + since + limit
    }

    /// Waits until another has its place.
    pub(super) async fn given_away(&self) {
        self.visit.gives_way.notified().await;
    }

    pub(super) fn took_too_long(&self) {
        // One that was answered and asks no more has done nothing wrong.
        if self.visit.now().1 != Stage::Answered {
            self.room.counted.timed_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.room.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.leave(self.number);
        self.room.count(&inside);
    }
}

/// An address; of IPv6 the network of 64 bits, in which one reader has all the addresses they like.
fn whose(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(now: Instant) -> Arc<Room> {
        Arc::new(Room::new("public", Size { all: 4, per_address: 2 }, now))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn counted(room: &Room) -> [u64; 3] {
        let Counted { open, displaced, refused, .. } = &room.counted;
        [open, displaced, refused].map(|count| count.load(Ordering::Relaxed))
    }

    async fn is_given_away(place: &Place) -> bool {
        tokio::time::timeout(Duration::ZERO, place.given_away()).await.is_ok()
    }

    #[tokio::test]
    async fn who_waited_longest_gives_way_and_never_who_is_being_answered() {
        let began = Instant::now();
        let at = |ms: u64| began + Duration::from_millis(ms);
        let room = room(began);
        let mut places: Vec<Place> = (1..=4_u8)
            .map(|last| room.enter(address(last), at(u64::from(last) * 10)).expect("room"))
            .collect();
        places[0].asks(at(50));
        let fifth = room.enter(address(5), at(60)).expect("another gives way");
        assert!(!is_given_away(&places[0]).await, "it is being answered");
        assert!(is_given_away(&places[1]).await, "it waited longest");
        assert_eq!(counted(&room), [4, 1, 0]);
        // Answered just now, it waits less long than those that never asked.
        places[0].answered(at(70));
        let _sixth = room.enter(address(6), at(80)).expect("another gives way");
        assert!(is_given_away(&places[2]).await && !is_given_away(&places[0]).await);
        // What was given away is given back once.
        places.drain(1..=2);
        assert_eq!(counted(&room), [4, 2, 0]);
        drop(fifth);
        assert_eq!(counted(&room), [3, 2, 0]);
    }

    #[tokio::test]
    async fn one_address_has_its_part_and_displaces_only_itself() {
        let began = Instant::now();
        let at = |ms: u64| began + Duration::from_millis(ms);
        let room = room(began);
        let other = room.enter(address(9), at(0)).expect("room");
        let one = [10, 20].map(|ms| room.enter(address(1), at(ms)).expect("room"));
        let third = room.enter(address(1), at(30)).expect("in the place of its own");
        assert!(!is_given_away(&other).await && is_given_away(&one[0]).await);
        one[1].asks(at(40));
        third.asks(at(40));
        assert!(room.enter(address(1), at(50)).is_none(), "all of its own are being answered");
        assert_eq!(counted(&room), [3, 1, 1]);
        assert!(room.enter(address(2), at(60)).is_some());
    }

    #[test]
    fn each_stage_has_its_time() {
        let began = Instant::now();
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        let place = room(began).enter(address(1), began).expect("room");
        assert_eq!(place.until(), began + FIRST_REQUEST, "pieces of a head win no time");
        place.asks(at(4));
        assert_eq!(place.until(), at(4) + ANSWER);
        place.answered(at(5));
        assert_eq!(place.until(), at(5) + NEXT_REQUEST);
    }

    #[test]
    fn a_network_of_ipv6_is_one_reader() {
        let ip = |text: &str| whose(text.parse().expect("an address"));
        assert_eq!(ip("2001:db8:1:2:3:4:5:6"), ip("2001:db8:1:2::1"));
        assert_ne!(ip("2001:db8:1:2::1"), ip("2001:db8:1:3::1"));
        assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    }
}
