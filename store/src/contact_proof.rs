//! Who was reached, by which way, and when last.

use crate::{crash_point, database::Connection, error::Error, row::Reading};
use domain::{ContactProof, PersonId, Way};

/// Keeps it: whoever decides knows whether it is the last one.
pub(crate) async fn put(connection: &mut Connection, proof: &ContactProof) -> Result<(), Error> {
    connection
        .statement(
            "INSERT INTO contact_proof (person, way, at) VALUES ($1, $2, $3)
             ON CONFLICT (person, way) DO UPDATE SET at = excluded.at",
        )
        .bind(proof.person.as_str())
        .bind(proof.way.word())
        .bind(proof.at.as_millisecond())
        .execute("record a batch")
        .await?;
    crash_point!("record/contact-proof");
    Ok(())
}

/// All of them: a row a person and way.
pub(crate) async fn all(
    connection: &mut Connection,
    doing: &'static str,
) -> Result<Vec<ContactProof>, Error> {
    let rows = connection
        .statement("SELECT person, way, at FROM contact_proof ORDER BY person, way")
        .rows(doing)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, doing };
            let (person, way): (String, String) = (row.get("person")?, row.get("way")?);
            let broken = || Error::corrupt(doing, format!("'{person}' by '{way}' is nobody's way"));
            Ok(ContactProof {
                person: PersonId::parse(&person).map_err(|_| broken())?,
                way: Way::parse(&way).ok_or_else(broken)?,
                at: row.time("at")?,
            })
        })
        .collect()
}
