//! The site, and whom we trust.

use super::{
    reading::Reading,
    secret::{self, Reference},
    section::Section,
    tree::Node,
};
use domain::Site;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::path::PathBuf;

/// Largest file of certificates, in bytes: all public roots together have 230 KB.
const MAX_ROOTS: u64 = 1024 * 1024;

/// What the site is called and where it is.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Site> {
    let mut section = Section::open(node, "the site", reading)?;
    let title =
        section.required("title", reading).and_then(|node| reading.bilingual(node, "the site's title"));
    let url = section
        .required("url", reading)
        .and_then(|node| reading.both(node, "the site's URL", |reading, node, _| reading.base_url(node)));
    let time_zone = section.required("time_zone", reading).and_then(|node| reading.time_zone(node));
    section.close(reading);
    Some(Site { title: title?, url: url?, time_zone: time_zone? })
}

/// The file in which outcomes wait while the database takes nothing.
pub(super) fn spool(node: &Node, reading: &mut Reading<'_>) -> Option<PathBuf> {
    reading.text(node, "the spool's file").map(PathBuf::from)
}

/// Certificates that are trusted beside the system's.
pub(super) fn egress(node: &Node, reading: &mut Reading<'_>) -> Vec<CertificateDer<'static>> {
    let Some(mut section) = Section::open(node, "egress", reading) else { return Vec::new() };
    let files = section
        .required("roots", reading)
        .and_then(|node| reading.list_of_some(node, "certificate files"))
        .unwrap_or_default();
    section.close(reading);
    let directory = reading.directory;
    for file in files {
        if let Some(Ok(Reference::File(path))) = file.as_word().and_then(Reference::parse) {
            reading.stamps.note(secret::path_of(directory, path));
        }
    }
    files
        .iter()
        .filter_map(|file| {
            reading.parsed(file, "a file of certificates: file:PATH", |text| {
                let path = match Reference::parse(text) {
                    Some(Ok(Reference::File(path))) => secret::path_of(directory, path),
                    Some(Err(why)) => return Err(why),
                    Some(Ok(Reference::Environment(_))) | None => {
                        return Err(format!("certificates are in a file: write file:PATH, not '{text}'"));
                    }
                };
                secret::read_text(&path, MAX_ROOTS)
                    .and_then(|pem| certificates(&pem).map_err(str::to_owned))
                    .map_err(|why| format!("{} cannot be used: {why}", path.display()))
            })
        })
        .flatten()
        .collect()
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match all {
        Ok(all) if all.is_empty() => Err("there is no PEM certificate in it"),
        Ok(all) => Ok(all),
        Err(_) => Err("this is not PEM"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_from_pem() {
        let pem = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem();
        assert_eq!(certificates(&format!("{pem}\n{pem}")).unwrap().len(), 2);
        assert!(certificates("nothing").is_err());
        assert!(certificates("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err());
    }
}
