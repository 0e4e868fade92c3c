//! The way to the server is encrypted, and the server is who it says it is, where the URL asks for that.

use crate::own_server::Server;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use sqlx::{Connection as _, PgConnection};
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
};
use store::{Error, Store};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Gives the server a certificate for 127.0.0.1 by this authority.
async fn certify(server: &Server, authority: &CertifiedIssuer<'static, KeyPair>) {
    let mut raw = PgConnection::connect(&server.url).await.unwrap();
    let folder: String =
        sqlx::query_scalar("SELECT current_setting('data_directory')").fetch_one(&mut raw).await.unwrap();
    let owner = fs::metadata(&folder).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    for (name, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        let path = Path::new(&folder).join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    sqlx::raw_sql("ALTER SYSTEM SET ssl = on").execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    server.control("restart -m fast");
}

mod the_servers_certificate_is_checked_where_the_url_says_so {
    use super::{Error, PgConnection, Server, Store, authority, certify, fs};
    use sqlx::Connection as _;

    #[tokio::test]
    async fn postgres() {
        let (server, trusted, other) = (Server::start(), authority(), authority());
        let url = |folder: &tempfile::TempDir, authority: &rcgen::CertifiedIssuer<'_, _>| {
            let path = folder.path().join("ca.pem");
            fs::write(&path, authority.pem()).unwrap();
            format!("{}?sslmode=verify-full&sslrootcert={}", server.url, path.display())
        };
        let folder = tempfile::tempdir().unwrap();
        let plain = Store::open(&url(&folder, &trusted), [1; 32]).await.unwrap_err();
        assert!(matches!(plain, Error::Unavailable { .. }), "a server that does not encrypt: {plain:?}");

        certify(&server, &trusted).await;
        let store = Store::open(&url(&folder, &trusted), [1; 32]).await.unwrap();
        let mut raw = PgConnection::connect(&server.url).await.unwrap();
        let encrypted: Vec<bool> = sqlx::query_scalar(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'curiad'",
        )
        .fetch_all(&mut raw)
        .await
        .unwrap();
        assert!(!encrypted.is_empty() && encrypted.iter().all(|encrypted| *encrypted), "{encrypted:?}");
        store.close().await;

        let stranger = Store::open(&url(&folder, &other), [1; 32]).await.unwrap_err();
        assert!(matches!(stranger, Error::Unavailable { .. }), "{stranger:?}");
        assert!(stranger.to_string().contains("certificate"), "{stranger}");
    }
}
