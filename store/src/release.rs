//! Which versions of APIs ran where.

use crate::{
    Store, crash_point,
    database::{Connection, Purpose, without_nul},
    error::Error,
    row::Reading,
};
use domain::{InstanceId, OperationId, Release};
use jiff::Timestamp;

/// Releases of one instance that one answer holds at most.
pub const MAX_RELEASES: u32 = 1_000;

impl Store {
    /// The release of `instance` in force at `from`, and those that began after it and before `to`, in order; the newest
    /// [`MAX_RELEASES`] of them.
    pub async fn releases(
        &self,
        instance: &InstanceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Release>, Error> {
        let doing = "read the releases of an instance";
        let mut connection = self.connect(Purpose::Read, doing).await?;
        let mut releases = connection
            .statement(
                "SELECT api, environment, since, version, before, operation FROM releases
                 WHERE api = $1 AND environment = $2 AND since < $4
                   AND since >= coalesce((SELECT max(since) FROM releases
                                          WHERE api = $1 AND environment = $2 AND since <= $3), $3)
                 ORDER BY since DESC LIMIT $5",
            )
            .bind(instance.api.as_str())
            .bind(instance.environment.word())
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .bind(i64::from(MAX_RELEASES))
            .rows(doing)
            .await?
            .iter()
            .map(|row| release(Reading { row, doing }))
            .collect::<Result<Vec<_>, Error>>()?;
        releases.reverse();
        Ok(releases)
    }
}

/// The last of each instance.
pub(crate) async fn last(connection: &mut Connection, doing: &'static str) -> Result<Vec<Release>, Error> {
    connection
        .statement(
            "SELECT held.api, held.environment, held.since, held.version, held.before, held.operation
             FROM (SELECT api, environment, max(since) AS since FROM releases GROUP BY api, environment) AS last
             JOIN releases AS held
               ON held.api = last.api AND held.environment = last.environment AND held.since = last.since
             ORDER BY held.api, held.environment",
        )
        .rows(doing)
        .await?
        .iter()
        .map(|row| release(Reading { row, doing }))
        .collect()
}

/// Notes a release, within a transaction. Of two of one moment the first is kept.
pub(crate) async fn put(connection: &mut Connection, release: &Release) -> Result<(), Error> {
    connection
        .statement(
            "INSERT INTO releases (api, environment, since, version, before, operation)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(release.instance.api.as_str())
        .bind(release.instance.environment.word())
        .bind(release.since.as_millisecond())
        .bind(without_nul(&release.version))
        .bind(release.before.as_deref().map(without_nul))
        .bind(release.operation.as_str())
        .execute("record a release")
        .await?;
    crash_point!("record/release");
    Ok(())
}

fn release(row: Reading<'_>) -> Result<Release, Error> {
    Ok(Release {
        instance: row.instance()?,
        version: row.get("version")?,
        before: row.get("before")?,
        since: row.time("since")?,
        operation: row.word("operation", |word| OperationId::parse(word).ok())?,
    })
}
