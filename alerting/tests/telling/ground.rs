//! Where a story's database is, and what lies beside it.

use crate::database::Fresh;
use std::path::Path;
use store::Store;
use tempfile::TempDir;

pub(crate) struct Ground {
    folder: TempDir,
    /// `None`: the database is a file in the folder.
    server: Option<Fresh>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let on_server = module_path!().contains("::postgres::");
        Self { folder: tempfile::tempdir().unwrap(), server: on_server.then(Fresh::new) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        match &self.server {
            Some(fresh) => fresh.url.clone(),
            None => format!("sqlite://{}", self.folder().join("curiad.db").display()),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url(), [7; 32]).await.unwrap()
    }
}
