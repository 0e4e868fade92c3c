//! The server goes and comes back, says no, or says nothing: every call ends in time with what can be done about it, and
//! works again when the server does.

use crate::{
    cuts::Way,
    made::{Made, at, changes, failed, opened, outcomes, passed, read},
    own_server::Server,
    place::{On, Place, on_both},
};
use domain::{Command, IncidentId, Message, Told};
use simulator::{Blow, When};
use std::time::Duration;
use store::{Error, Store};

/// Longer than any of this takes; reached only when it fails.
const LIMIT: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(30);

fn told() -> Told {
    let command = Command::Acknowledge { incident: IncidentId(1), by: "Nia".to_owned() };
    Told { at: at(0), what: Message::Command(command) }
}

/// One call of each kind, all at once; but one batch after the other, as the recorder does.
async fn each(store: &Store) -> [(&'static str, Result<(), Error>); 8] {
    let (passes, failures) = (outcomes([passed(&read(), 77_000)]), outcomes([failed(&read(), 78_000)]));
    let told = told();
    let record = async { (store.record(&failures).await, store.record(&passes).await) };
    let ((failures, passes), claim, tell, beat, lease, counts, in_turn) = tokio::join!(
        record,
        store.claim(at(0), LEASE, 9),
        store.tell(&told),
        store.beat(),
        store.lease(),
        store.counts(),
        store.remember_in_turn(at(0)),
    );
    [
        ("record passes", passes),
        ("record failures", failures),
        ("claim", claim.map(drop)),
        ("tell", tell.map(drop)),
        ("beat", beat),
        ("lease", lease.map(drop)),
        ("counts", counts.map(drop)),
        ("remember in turn", in_turn.map(drop)),
    ]
}

/// All kinds of calls work, within a few attempts.
async fn works(store: &Store) {
    let again = async {
        while each(store).await.iter().any(|(_, done)| done.is_err()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, again).await.expect("it works again");
}

async fn take(store: &Store) {
    assert!(store.take(&store.lease().await.unwrap(), "one").await.unwrap());
}

mod a_server_that_was_stopped_and_started_is_used_again {
    use super::{Error, Server, Store, at, each, passed, read, take, works};
    use crate::made::outcomes;

    #[tokio::test]
    async fn postgres() {
        let server = Server::start();
        let store = Store::open(&server.url, [1; 32]).await.unwrap();
        take(&store).await;
        works(&store).await;
        for how in ["stop -m fast", "stop -m immediate"] {
            server.control(how);
            for (call, done) in each(&store).await {
                assert!(matches!(done, Err(Error::Unavailable { .. })), "{call} after {how}: {done:?}");
            }
            server.control("restart");
            works(&store).await;
        }
        // Stopped and started with nobody looking.
        server.control("restart -m fast");
        works(&store).await;
        store.record(&outcomes([passed(&read(), 90_000)])).await.unwrap();
        assert_eq!(store.remember(at(0)).await.unwrap().latest[0].1, at(90_000));
    }
}

mod connections_that_the_server_ends_are_made_anew {
    use super::{Made, On, take, works};

    #[tokio::test]
    async fn postgres() {
        let made = Made::new(On::Postgres).await;
        take(&made.store).await;
        for _ in 0..3 {
            works(&made.store).await;
            made.place
                .tell(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'curiad'",
                )
                .await;
        }
        works(&made.store).await;
    }
}

mod packets_that_nobody_answers_hold_nobody_up {
    use super::{Blow, Error, LIMIT, Way, each, works};

    #[tokio::test]
    async fn postgres() {
        let way = Way::new().await;
        let store = way.open().await;
        works(&store).await;
        way.proxy.strike(Blow::Stall).await;
        for (call, done) in tokio::time::timeout(LIMIT, each(&store)).await.expect("it ends") {
            let ended =
                matches!(done, Err(Error::Unavailable { .. } | Error::Busy { .. } | Error::Unknown { .. }));
            assert!(ended, "{call}: {done:?}");
        }
        way.proxy.pass().await;
        works(&store).await;
    }
}

/// A commit that is on its way for long is not yet lost.
mod a_commit_that_is_held_up_is_stored_once {
    use super::{Blow, Error, LIMIT, Way, When, at, changes, opened};
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn postgres() {
        let way = Way::new().await;
        for number in 1..3 {
            let store = way.open().await;
            let batch = changes([opened(number, &format!("api-{number}"))]);
            way.proxy.plan(When::before_commit(), Blow::Stall);
            // Half of those who wait lose patience; what they sent is still on its way.
            if number % 2 == 0 {
                let ended = timeout(LIMIT, store.record(&batch)).await.expect("it ends");
                assert!(matches!(ended, Err(Error::Unknown { .. })), "{ended:?}");
            } else {
                let record = store.record(&batch);
                let struck = way.proxy.until_struck(LIMIT);
                tokio::select! {
                    ended = record => panic!("{ended:?}"),
                    struck = struck => drop(struck.unwrap()),
                }
            }
            way.proxy.pass().await;
            let again = async {
                while let Err(error) = store.record(&batch).await {
                    assert!(matches!(error, Error::Unknown { .. }), "{error:?}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            timeout(LIMIT, again).await.expect("it is found out");
            let remembered = store.remember(at(0)).await.unwrap();
            assert_eq!(remembered.last_incident, number);
            assert_eq!(remembered.incidents.len() as u64, number);
            store.close().await;
        }
    }
}

on_both!(words_from_outside_may_hold_anything);

async fn words_from_outside_may_hold_anything(on: On) {
    let made = Made::new(on).await;
    let (mut outcome, verdict) = failed(&read(), 0);
    let odd = "a\0b \u{feff}\u{202e}\u{10ffff} ’\"\\";
    let failure = std::sync::Arc::make_mut(&mut outcome);
    failure.request_id = Some(odd.to_owned());
    failure.failure.as_mut().unwrap().message = odd.to_owned();
    made.store.record(&outcomes([(outcome, verdict)])).await.unwrap();
    let row = &made.store.failures(&read().check.instance, at(0), at(1), 9).await.unwrap()[0];
    let kept = odd.replace('\0', "\u{fffd}");
    assert_eq!(row.failure.as_ref().unwrap().message, kept);
    assert_eq!(row.request_id.as_deref(), Some(odd.replace('\0', "\u{fffd}").as_str()));
}

/// What the server says is told apart by what can be done about it.
mod what_the_server_says_is_told_apart {
    use super::{Error, Made, On, Place, Store, at, each, failed, outcomes, read};
    use crate::place::server;

    /// Has the server say this to whoever stores an outcome that failed.
    async fn says(made: &Made, code: &str) -> Error {
        made.place
            .tell(&format!(
                "CREATE OR REPLACE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{code}'; END $$;
                 CREATE OR REPLACE TRIGGER says BEFORE INSERT ON failure FOR EACH ROW EXECUTE FUNCTION says()"
            ))
            .await;
        made.store.record(&outcomes([failed(&read(), 0)])).await.unwrap_err()
    }

    #[tokio::test]
    async fn postgres_by_its_code() {
        let made = Made::new(On::Postgres).await;
        for code in ["53100"] {
            assert!(matches!(says(&made, code).await, Error::Full { .. }), "{code}");
        }
        for code in ["40001", "40P01", "55P03", "57014", "53200", "53300", "53400"] {
            assert!(matches!(says(&made, code).await, Error::Busy { .. }), "{code}");
        }
        for code in ["57P01", "57P02", "57P03", "08006", "58030", "25006", "25P03"] {
            assert!(matches!(says(&made, code).await, Error::Unavailable { .. }), "{code}");
        }
        for code in ["23505", "23503", "23514"] {
            assert!(matches!(says(&made, code).await, Error::Refused { .. }), "{code}");
        }
        for code in ["XX001", "XX002"] {
            assert!(matches!(says(&made, code).await, Error::Corrupt { .. }), "{code}");
        }
        for code in ["42501", "28000"] {
            assert!(matches!(says(&made, code).await, Error::Denied { .. }), "{code}");
        }
        for code in ["22012", "42P01", "P0001"] {
            assert!(matches!(says(&made, code).await, Error::Other { .. }), "{code}");
        }
        made.place.tell("DROP TRIGGER says ON failure").await;
        made.store.record(&outcomes([failed(&read(), 0)])).await.unwrap();
        assert_eq!(made.store.remember(at(0)).await.unwrap().latest.len(), 1);
    }

    #[tokio::test]
    async fn postgres_when_another_holds_a_lock() {
        use sqlx::Connection as _;
        let made = Made::new(On::Postgres).await;
        let mut other = sqlx::PgConnection::connect(&made.place.url()).await.unwrap();
        let mut held = other.begin().await.unwrap();
        sqlx::query("LOCK TABLE failure").execute(&mut *held).await.unwrap();
        let busy = made.store.record(&outcomes([failed(&read(), 0)])).await;
        assert!(matches!(busy, Err(Error::Busy { .. })), "{busy:?}");
        held.rollback().await.unwrap();
        made.store.record(&outcomes([failed(&read(), 0)])).await.unwrap();
    }

    #[tokio::test]
    async fn postgres_when_it_does_not_let_us_in() {
        let place = Place::new(On::Postgres).await;
        let role = place.url().rsplit_once('/').unwrap().1.to_owned();
        let url = |user: &str, name: &str| {
            let (before, _) = server()
                .replace("postgres@", &format!("{user}:hunter2@"))
                .rsplit_once('/')
                .map(|(before, after)| (before.to_owned(), after.to_owned()))
                .unwrap();
            format!("{before}/{name}")
        };
        let refused = async |url: String| {
            let error = Store::open(&url, [1; 32]).await.unwrap_err();
            assert!(matches!(error, Error::Denied { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            error.to_string()
        };
        let said = refused(url("nobody", &role)).await;
        assert!(said.contains(r#"role "nobody" does not exist"#), "{said}");
        let absent = Store::open(&url("postgres", "nowhere"), [1; 32]).await.unwrap_err();
        assert!(matches!(absent, Error::Absent { .. }), "{absent:?}");
        assert!(absent.to_string().contains(r#"database "nowhere" does not exist"#), "{absent}");
        place.tell(&format!("CREATE ROLE {role} LOGIN")).await;
        let said = refused(url(&role, &role)).await;
        assert!(said.contains("permission denied for schema public"), "{said}");
        place
            .tell(&format!("ALTER DATABASE {role} OWNER TO {role}; ALTER ROLE {role} CONNECTION LIMIT 1"))
            .await;
        let busy = Store::open(&url(&role, &role), [1; 32]).await;
        assert!(matches!(busy, Err(Error::Busy { .. })), "too many connections: {busy:?}");
        place.tell(&format!("ALTER ROLE {role} CONNECTION LIMIT 20")).await;
        let store = Store::open(&url(&role, &role), [1; 32]).await.unwrap();
        store.beat().await.unwrap_err();
        super::take(&store).await;
        assert!(each(&store).await.iter().all(|(_, done)| done.is_ok()));
        store.close().await;
        place.tell(&format!("ALTER DATABASE {role} OWNER TO postgres; REASSIGN OWNED BY {role} TO postgres; DROP ROLE {role}")).await;
    }

    #[tokio::test]
    async fn postgres_when_nothing_may_be_written() {
        let place = Place::new(On::Postgres).await;
        place.open([1; 32]).await.close().await;
        let name = place.url().rsplit_once('/').unwrap().1.to_owned();
        place.tell(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        let store = place.open([1; 32]).await;
        let refused = store.take(&store.lease().await.unwrap(), "one").await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        let empty = Place::new(On::Postgres).await;
        let name = empty.url().rsplit_once('/').unwrap().1.to_owned();
        empty.tell(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        let refused = Store::open(&empty.url(), [1; 32]).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        let nobody = Store::open("postgres://curiad:hunter2@127.0.0.1:1/curiad", [1; 32]).await.unwrap_err();
        assert!(nobody.to_string().contains("Connection refused"), "{nobody}");
        assert!(matches!(nobody, Error::Unavailable { .. }), "{nobody:?}");
    }
}
