//! Where everything is kept.

use super::{
    nearest::nearest,
    reading::Reading,
    secret::{Reference, Use},
    tree::Node,
};
use domain::Secret;
use url::Url;

/// The database when none is named.
const DEFAULT: &str = "sqlite://curiad.db";

/// What a `PostgreSQL` URL may say after its `?`: those of libpq that matter here. A password is not among them, for what
/// follows a `?` is easily shown.
const PARAMETERS: [&str; 6] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "user"];

/// What `sslmode` may be, as libpq has it.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The database's URL: a secret, because `PostgreSQL`'s may hold a password.
pub(super) fn read(node: Option<&Node>, reading: &mut Reading<'_>) -> Option<Secret> {
    let Some(node) = node else { return Some(Secret::new(DEFAULT)) };
    let written = node.as_word().is_some_and(|word| Reference::parse(word).is_none());
    reading.text_or_secret(node, "the database", Use::Database, |url| {
        if is_postgres(url) { postgres(url, written) } else { sqlite(url) }
    })
}

fn sqlite(url: &str) -> Result<(), &'static str> {
    match url.strip_prefix("sqlite:") {
        None => Err(
            "the database is sqlite://PATH, or postgres://USER:PASSWORD@HOST/NAME from env:NAME or file:PATH",
        ),
        Some(path) if path.trim_start_matches('/').is_empty() => {
            Err("the database's file is not named; write sqlite://PATH, such as sqlite://curiad.db")
        }
        // Two begin a path, and a path from the root has one more: with one, either may be meant.
        Some(path) if path.starts_with('/') && !path.starts_with("//") => {
            Err("one slash says too little; write sqlite://curiad.db, or sqlite:///var/lib/curiad/curiad.db")
        }
        Some(path) => sqlite_file(path.trim_start_matches("//")),
    }
}

/// What stands behind `sqlite://`.
fn sqlite_file(text: &str) -> Result<(), &'static str> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if path.ends_with(":memory:") || query.contains("memory") {
        return Err(
            "a database in memory forgets everything at each stop; write sqlite://PATH, such as sqlite://curiad.db",
        );
    }
    if path.starts_with('~') || path.contains('$') {
        return Err(
            "'~' and '$' stand for nothing here; write the whole path, such as sqlite:///var/lib/curiad/curiad.db",
        );
    }
    if !matches!(query, "" | "mode=rwc") {
        return Err("nothing follows the path of a SQLite database; write sqlite://PATH");
    }
    Ok(())
}

/// Whether it is on a server, where programs on several machines may share it.
pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

fn postgres(url: &str, written: bool) -> Result<(), &'static str> {
    let url = Url::parse(url).map_err(
        |_| "this is no URL; write postgres://USER:PASSWORD@HOST/NAME, with %40 for an @ in the password",
    )?;
    if written && url.password().is_some() {
        return Err("a password does not belong in this file; put the whole URL into env:NAME or file:PATH");
    }
    if url.path().trim_start_matches('/').is_empty() {
        return Err("the URL names no database; write postgres://USER:PASSWORD@HOST/NAME");
    }
    if url.query_pairs().any(|(name, _)| !PARAMETERS.contains(&name.as_ref())) {
        return Err(
            "after ? there may be sslmode, sslrootcert, sslcert, sslkey, host (a socket's directory) and user",
        );
    }
    for (_, mode) in url.query_pairs().filter(|(name, _)| name == "sslmode") {
        if !SSL_MODES.contains(&mode.as_ref()) {
            return Err(match nearest(&mode, SSL_MODES) {
                Some("verify-full") => "there is no such sslmode; did you mean sslmode=verify-full?",
                Some("verify-ca") => "there is no such sslmode; did you mean sslmode=verify-ca?",
                _ => "sslmode is disable, allow, prefer, require, verify-ca or verify-full",
            });
        }
    }
    if url.host_str().is_none_or(str::is_empty) && !url.query_pairs().any(|(name, _)| name == "host") {
        return Err("the URL names no host; write postgres://USER:PASSWORD@HOST/NAME");
    }
    Ok(())
}

/// A database's URL as it may be shown: where it is, and nothing of how one gets in.
pub(crate) fn shown(url: &str) -> String {
    if !is_postgres(url) {
        return url.to_owned();
    }
    Url::parse(url).map_or_else(
        |_| "postgres://…".to_owned(),
        |url| {
            let host = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("postgres://{host}{port}{}", url.path())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_has_no_password_however_it_is_written() {
        for (url, as_shown) in [
            ("sqlite://curiad.db", "sqlite://curiad.db"),
            ("postgres://curiad:hunter2@db:5433/curiad", "postgres://db:5433/curiad"),
            ("postgres://curiad:hun%40ter2@db/curiad?sslmode=require", "postgres://db/curiad"),
            ("postgresql://db/curiad?password=hunter2", "postgres://db/curiad"),
            ("postgres://curiad:hunter2@ter2@db/curiad", "postgres://db/curiad"),
            ("postgres://curiad:hunter2", "postgres://…"),
        ] {
            assert_eq!(shown(url), as_shown);
        }
    }

    #[test]
    fn a_url_is_one_that_can_be_used() {
        let good = [
            "postgres://curiad@db/curiad",
            "postgresql://curiad@10.0.0.1:5432/curiad?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres:///curiad?host=/var/run/postgresql&user=curiad",
        ];
        for url in good {
            assert_eq!(postgres(url, true), Ok(()), "{url}");
        }
        assert_eq!(postgres("postgres://curiad:hunter2@db/curiad", false), Ok(()));
        for (url, why) in [
            ("postgres://curiad:hunter2@db/curiad", "a password does not belong"),
            ("postgres://curiad@db", "names no database"),
            ("postgres:///curiad", "names no host"),
            ("postgres://curiad@db/curiad?sslmod=require", "after ? there may be"),
            ("postgres://curiad@db/curiad?sslmode=verify_full", "did you mean sslmode=verify-full?"),
            ("postgres://curiad@db/curiad?sslmode=yes", "sslmode is disable, allow"),
            ("postgres://curiad@db:port/curiad", "this is no URL"),
        ] {
            assert!(postgres(url, true).unwrap_err().contains(why), "{url}");
        }
    }

    #[test]
    fn a_file_is_one_that_stays_and_is_found_again() {
        for url in ["sqlite://curiad.db", "sqlite:curiad.db", "sqlite:///srv/curiad.db?mode=rwc"] {
            assert_eq!(sqlite(url), Ok(()), "{url}");
        }
        for (url, why) in [
            ("sqlite::memory:", "forgets everything"),
            ("sqlite://:memory:", "forgets everything"),
            ("sqlite://curiad.db?mode=memory", "forgets everything"),
            ("sqlite://~/curiad.db", "write the whole path"),
            ("sqlite://$HOME/curiad.db", "write the whole path"),
            ("sqlite://curiad.db?mode=ro", "nothing follows the path"),
        ] {
            assert!(sqlite(url).unwrap_err().contains(why), "{url}");
        }
    }
}
