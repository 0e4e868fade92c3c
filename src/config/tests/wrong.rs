//! What is wrong, where, and what is said: one mistake at a time.

use super::minimal::Directory;

pub(super) const TOP: &str = "curiad.yaml";
pub(super) const API: &str = "apis/documents.yaml";

/// Makes one change to the smallest configuration; the problems must be exactly these.
pub(super) fn check(file: &str, from: &str, to: &str, expected: &[&str]) {
    let directory = Directory::new();
    directory.change(file, from, to);
    assert_eq!(directory.problems(), expected, "{from:?} → {to:?}");
}

#[test]
fn nothing_is_wrong_with_the_smallest_configuration() {
    assert_eq!(Directory::new().problems(), Vec::<String>::new());
}

#[test]
fn files() {
    check(
        TOP,
        "site:",
        "site: [",
        &[
            "curiad.yaml:3:3: this is not YAML: while parsing a flow mapping, did not find expected ',' or '}'; look at this line and the one above: an indent, a quote or a bracket",
        ],
    );
    check(
        API,
        "name: {",
        "\tname: {",
        &[
            "apis/documents.yaml:1:5: this is not YAML: while scanning a plain scalar, found a tab; indent with spaces: YAML refuses tabs",
        ],
    );
    check(
        API,
        "kind: rest",
        "kind: &k rest",
        &["apis/documents.yaml:4:7: anchors and aliases ('&' and '*') are not used here; write it out"],
    );
    check(
        API,
        "kind: rest",
        "kind: !rest x",
        &["apis/documents.yaml:4:7: tags ('!') are not used here; leave it out, or put it in quotes"],
    );
    check(
        API,
        "kind: rest",
        "---\nkind: rest",
        &["apis/documents.yaml:4:1: a file holds one document; leave out the second '---'"],
    );
    check(
        API,
        "kind: rest",
        "kind: rest\nkind: soap",
        &["apis/documents.yaml:5:1: the key 'kind' is given twice; the first is at line 4"],
    );
    check(
        API,
        "kind: rest",
        "{a: b}: rest",
        &[
            "apis/documents.yaml:4:1: a key is a word; put it in quotes, if a value such as '{uuid}' was meant",
        ],
    );
    check(
        API,
        "id: documents",
        "id: letters",
        &[
            "apis/documents.yaml:1:5: the id 'letters' is not the file's name 'documents'; history hangs on the id: if it is right, name the file letters.yaml",
        ],
    );
    let empty = Directory::new();
    empty.write("apis/empty.yaml", "# nothing\n").write("apis/other.yml", "").write("more.yaml", "");
    assert_eq!(
        empty.problems(),
        [
            "apis/empty.yaml: this file is empty",
            "apis/other.yml: this file is not read; its name must end in .yaml",
            "more.yaml: this file is not read; only curiad.yaml and apis/*.yaml are"
        ]
    );
    let none = Directory(tempfile::tempdir().unwrap());
    assert_eq!(
        none.problems(),
        [
            "curiad.yaml: this file cannot be read: No such file or directory (os error 2)",
            "apis: there is no API; write one file an API"
        ]
    );
}

#[test]
fn keys() {
    check(
        API,
        "timeout:",
        "timout:",
        &["apis/documents.yaml:8:22: unknown key 'timout'; did you mean 'timeout'?"],
    );
    check(
        TOP,
        "visibility: public",
        "visibilty: public",
        &["curiad.yaml:12:5: unknown key 'visibilty'; did you mean 'visibility'?"],
    );
    check(
        TOP,
        "    visibility: public\n",
        "",
        &["curiad.yaml:11:3: an environment needs the key 'visibility'"],
    );
    check(
        API,
        "team: records",
        "colour: red\nteam: records",
        &[
            "apis/documents.yaml:7:1: unknown key 'colour'; one of: id, name, description, kind, lifecycle, service_level, sensitive, team, depends_on, documentation, desk, every, latency, operations, environments",
        ],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ gett: /_ping }",
        &["apis/documents.yaml:10:11: unknown key 'gett'; did you mean 'get'?"],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ critical: true }",
        &["apis/documents.yaml:10:3: an operation needs one of the keys 'get', 'head', 'post'"],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ get: /_ping, head: /_ping }",
        &["apis/documents.yaml:10:24: exactly one of 'get', 'head', 'post', not two"],
    );
    check(
        API,
        "  production: {",
        "  prod: {",
        &["apis/documents.yaml:17:3: unknown environment 'prod'; did you mean 'production'?"],
    );
    check(
        TOP,
        "  production:",
        "  prod:",
        &["curiad.yaml:11:3: unknown environment 'prod'; did you mean 'production'?"],
    );
    check(
        API,
        "latency: { slow: 1s, timeout: 5s }",
        "latency:",
        &["apis/documents.yaml:8:1: 'latency' has no value; give it one, or leave the key out"],
    );
}

#[test]
fn guards() {
    let guards = |guards: &str, problems: &[&str]| {
        check(TOP, "internet: {}", &format!("internet: {{ guards: {guards} }}"), problems);
    };
    guards(
        "{ outside: [http://a.example], inside: [\"tcp://10.0.0.1\"] }",
        &[
            "curiad.yaml:15:45: a guard is https://HOST or tcp://HOST:PORT",
            "curiad.yaml:15:73: a guard at tcp:// needs a port: tcp://HOST:PORT",
        ],
    );
    guards(
        "{ outsde: [https://a.example] }",
        &["curiad.yaml:15:35: unknown key 'outsde'; did you mean 'outside'?"],
    );
    guards("{ outside: [] }", &["curiad.yaml:15:44: this list of guards is empty"]);
    guards(
        "{ outside: [https://a.example, https://A.example/] }",
        &["curiad.yaml:15:64: this is named twice"],
    );
    guards(
        "{ inside: [\"tcp://a:1\", \"tcp://a:2\", \"tcp://a:3\", \"tcp://a:4\", \"tcp://a:5\"] }",
        &["curiad.yaml:15:96: one side has at most 4 guards"],
    );
}

#[test]
fn not_supported_yet() {
    check(
        API,
        "{ get: /_ping }",
        "{ soap: /_ping }",
        &["apis/documents.yaml:10:11: unknown key 'soap'; it is not supported yet"],
    );
    check(
        API,
        "status: 200",
        "status: 200, schema: openapi",
        &["apis/documents.yaml:14:28: unknown key 'schema'; it is not supported yet"],
    );
    check(
        API,
        "operations: [ping]",
        "operations: [ping], auth: {}",
        &["apis/documents.yaml:17:73: unknown key 'auth'; it is not supported yet"],
    );
    check(
        TOP,
        "internet: {}",
        "internet: { guards: {} }",
        &["curiad.yaml:15:33: guards are addresses outside the NHS network, inside it, or both"],
    );
    check(
        TOP,
        "internet: {}",
        "internet: {}, nhs: {}",
        &[
            "curiad.yaml:15:27: agents at other vantages are not supported yet; name one vantage: where this program runs",
        ],
    );
    check(
        TOP,
        "text: env:ONE",
        "text: env:ONE, voice: env:ONE",
        &["curiad.yaml:21:50: unknown key 'voice'; it is not supported yet"],
    );
    check(
        TOP,
        "call: rota platform,",
        "call: rota platform, by: [voice],",
        &["curiad.yaml:28:37: calls by voice are not supported yet; use text, email or both"],
    );
    check(
        TOP,
        "vantages:",
        "database: postgres://curiad:hunter2@db/curiad\nvantages:",
        &[
            "curiad.yaml:15:11: a password does not belong in this file; put the whole URL into env:NAME or file:PATH",
        ],
    );
    check(
        TOP,
        "vantages:",
        "egress: { proxy: x, roots: [file:none.pem] }\nvantages:",
        &[
            "curiad.yaml:15:11: unknown key 'proxy'; it is not supported yet",
            "curiad.yaml:15:29: none.pem cannot be used: No such file or directory (os error 2)",
        ],
    );
}

#[test]
fn words_that_yaml_may_read_as_something_else() {
    check(
        API,
        "en: Documents",
        "en: no",
        &[
            "apis/documents.yaml:2:13: 'no' may be read as false; where text is meant, write it in quotes: \"no\"",
        ],
    );
    check(
        API,
        "en: Documents",
        "en: 012",
        &[
            "apis/documents.yaml:2:13: '012' may be read as a number; where text is meant, write it in quotes: \"012\"",
        ],
    );
    check(
        API,
        "id: documents",
        "id: 1_000",
        &[
            "apis/documents.yaml:1:5: '1_000' may be read as a number; where text is meant, write it in quotes: \"1_000\"",
        ],
    );
    check(
        API,
        "status: 200",
        "status: 0200",
        &[
            "apis/documents.yaml:14:23: '0200' has a zero in front, which makes it another number to some readers; write 200",
        ],
    );
    check(
        API,
        "status: 200",
        "status: \"200\"",
        &["apis/documents.yaml:14:23: a status code is a number from 100 to 599, written without quotes"],
    );
    check(
        API,
        "status: 200",
        "json: { $.a: no, $.b: 1.10, $.c: 1.1 }",
        &[
            "apis/documents.yaml:14:28: 'no' may be read as false; where text is meant, write it in quotes: \"no\"",
            "apis/documents.yaml:14:37: '1.10' may be read as a number; where text is meant, write it in quotes: \"1.10\"",
        ],
    );
    check(
        API,
        "kind: rest",
        "kind: rest\nsensitive: yes",
        &["apis/documents.yaml:5:12: 'yes' is neither true nor false"],
    );
    check(
        TOP,
        "  one: {",
        "  no: {",
        &[
            "curiad.yaml:21:3: 'no' may be read as false; choose another name, or write it in quotes",
            "curiad.yaml:24:35: unknown person 'one'; one of: no, two",
        ],
    );
}
