//! The OpenAPI document that an API names: what no file of the catalogue of mistakes can show.

use super::minimal::{API, Directory};
use crate::config::Loaded;
use domain::{Contract, Promised, Statuses};
use std::{fs, os::unix::fs::symlink, sync::Arc};

const DOCUMENT: &str = r##"openapi: 3.0.3
paths:
  /documents/{id}:
    get: { responses: { default: { description: Any } } }
  /documents:
    get:
      responses:
        200: { content: { Application/JSON; charset=utf-8: { schema: { $ref: "#/components/schemas/All" } }, text/csv: {} } }
        4XX: { content: { "*/*": { schema: { type: object } } } }
        500: { content: { application/json: { schema: { type: object } } } }
components: { schemas: { All: { type: array, items: { type: string, nullable: true } } } }
"##;

/// The smallest configuration with a document that answers are held against.
fn directory() -> Directory {
    let directory = Directory::new();
    let api = API
        .replace("timeout: 5s }\n", "timeout: 5s }\nopenapi: openapi/documents.yaml\n")
        .replace("status: 200 }", "status: [200, 404], schema: openapi }");
    directory.write("apis/documents.yaml", &api).write("openapi/documents.yaml", DOCUMENT);
    directory
}

fn contracts(loaded: &Loaded) -> Vec<Arc<Contract>> {
    let checks = loaded.configuration.checks.values();
    checks.filter_map(|check| check.operation.expect.contract.clone()).collect()
}

#[test]
fn what_is_promised_for_the_statuses_that_are_accepted_is_kept_and_nothing_else() {
    let directory = directory();
    let loaded = directory.load().unwrap();
    let promised = |status, bodies: &[(&str, Option<usize>)]| Promised {
        status: Some(status),
        bodies: bodies.iter().map(|(media_type, schema)| ((*media_type).to_owned(), *schema)).collect(),
    };
    let expected = Contract {
        request: "GET /documents".to_owned(),
        document: "openapi/documents.yaml".to_owned(),
        answers: vec![
            promised(Statuses::One(200), &[("application/json", Some(0)), ("text/csv", None)]),
            promised(Statuses::Class(4), &[("*/*", Some(1))]),
        ],
        schemas: vec![
            r##"{"$defs":{"All":{"items":{"type":["string","null"]},"type":"array"}},"$ref":"#/$defs/All"}"##
                .into(),
            r#"{"$defs":{},"type":"object"}"#.into(),
        ],
    };
    assert_eq!(*contracts(&loaded)[0], expected);
}

#[test]
fn all_checks_of_an_operation_share_it() {
    let directory = directory();
    directory.change("apis/documents.yaml", ", operations: [ping]", "");
    let contracts = contracts(&directory.load().unwrap());
    assert_eq!(contracts.len(), 2);
    assert!(Arc::ptr_eq(&contracts[0], &contracts[1]));
}

#[test]
fn the_document_is_part_of_the_configuration() {
    let directory = directory();
    let before = directory.load().unwrap().version;
    directory.change("openapi/documents.yaml", "type: string", "type: number");
    assert_ne!(before, directory.load().unwrap().version);
}

#[test]
fn a_document_is_inside_the_directory_wherever_links_lead() {
    let directory = directory();
    let path = directory.0.path().join("openapi/documents.yaml");
    fs::rename(&path, directory.0.path().join("openapi/.real")).unwrap();
    symlink(".real", &path).unwrap();
    directory.load().unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("documents.yaml"), DOCUMENT).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(elsewhere.path().join("documents.yaml"), &path).unwrap();
    let said = "apis/documents.yaml:9:10: an OpenAPI document is a file in the configuration's directory; \
                name it from that directory on, such as openapi/results.json";
    assert_eq!(directory.problems(), [said]);

    fs::remove_dir_all(directory.0.path().join("openapi")).unwrap();
    symlink(elsewhere.path(), directory.0.path().join("openapi")).unwrap();
    assert_eq!(directory.problems(), [said]);
}

#[test]
fn a_document_has_an_end() {
    let directory = directory();
    let large = format!("{DOCUMENT}\n# {}\n", "x".repeat(4 * 1024 * 1024));
    directory.write("openapi/documents.yaml", &large);
    let said = "apis/documents.yaml:9:10: openapi/documents.yaml cannot be read: larger than 4096 KiB";
    assert_eq!(directory.problems(), [said]);

    // What an operation needs of it has one, too.
    let pattern = "x".repeat(100);
    let many: Vec<String> =
        (0..20_000).map(|n| format!("        m{n}: {{ pattern: {pattern} }}\n")).collect();
    let document = DOCUMENT.split("components:").next().unwrap();
    let all = format!("{document}components:\n  schemas:\n    All:\n      properties:\n{}", many.concat());
    directory.write("openapi/documents.yaml", &all);
    let problems = directory.problems();
    assert!(problems[0].contains("KiB of others; 2048 are used at most"), "{problems:?}");
}
