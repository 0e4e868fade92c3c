//! What is wrong, where, and what is said: one mistake at a time.

use super::minimal::Directory;

const TOP: &str = "curiad.yaml";
const API: &str = "apis/documents.yaml";

/// Makes one change to the smallest configuration; the problems must be exactly these.
fn check(file: &str, from: &str, to: &str, expected: &[&str]) {
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
        &["curiad.yaml:15:25: unknown key 'guards'; it is not supported yet"],
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
        "database: env:POSTGRES\nvantages:",
        &[
            "curiad.yaml:15:11: the secret at env:POSTGRES cannot be used: PostgreSQL is not supported yet; write sqlite://PATH",
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

#[test]
fn values() {
    check(API, "slow: 1s", "slow: 1", &["apis/documents.yaml:8:18: '1' has no unit; write 1s or 1ms"]);
    check(
        API,
        "slow: 1s",
        "slow: 1d",
        &["apis/documents.yaml:8:18: '1d' is not a duration such as 800ms, 10s, 2m or 1h"],
    );
    check(
        API,
        "slow: 1s",
        "slow: 1h",
        &["apis/documents.yaml:8:18: the time after which an answer is slow is from 1ms to 2m, not 1h"],
    );
    check(
        API,
        "status: 200",
        "status: 99",
        &["apis/documents.yaml:14:23: a status code is a number from 100 to 599, not '99'"],
    );
    check(
        API,
        "kind: rest",
        "kind: sopa",
        &["apis/documents.yaml:4:7: 'sopa' is not a kind of API; did you mean 'soap'?"],
    );
    check(
        API,
        "get: /documents",
        "get: documents",
        &["apis/documents.yaml:12:10: a path starts with '/', not 'documents'"],
    );
    check(
        API,
        "url: https://sit.example/documents",
        "url: sit.example",
        &["apis/documents.yaml:16:15: this is not a URL such as https://api.example.wales"],
    );
    check(
        API,
        "url: https://sit.example/documents",
        "url: https://me:word@sit.example",
        &["apis/documents.yaml:16:15: a URL may not hold a user or a password"],
    );
    check(
        API,
        "status: 200",
        "json: { status: UP }",
        &[
            "apis/documents.yaml:14:23: 'status' is not a JSONPath such as $.status: at position 0, parser error",
        ],
    );
    check(
        API,
        "status: 200",
        "text: { regex: \"(\" }",
        &["apis/documents.yaml:14:30: this is not a regular expression: unclosed group"],
    );
    check(
        API,
        "status: 200",
        "text: UP",
        &[
            "apis/documents.yaml:14:21: a whole body is not equal to a word; write { contains: UP } or { regex: … }",
        ],
    );
    check(
        API,
        "status: 200",
        "headers: { content type: x }",
        &["apis/documents.yaml:14:26: 'content type' is not the name of a header"],
    );
    check(
        API,
        "status: 200",
        "headers: { a: { contains: x, regex: y } }",
        &["apis/documents.yaml:14:26: a test has exactly one of: equals, contains, regex, exists"],
    );
    check(
        API,
        "X-Request-ID: \"{uuid}\"",
        "Authorization: Bearer x",
        &[
            "apis/documents.yaml:13:16: credentials such as 'Authorization' are not supported yet, and never stand in a file",
        ],
    );
    check(
        API,
        "get: /documents",
        "get: [/documents]",
        &["apis/documents.yaml:12:10: expected a path, found a list"],
    );
    check(
        TOP,
        "Europe/London",
        "Europe/Cardiff",
        &["curiad.yaml:4:14: unknown time zone 'Europe/Cardiff': a name such as Europe/London"],
    );
    check(
        TOP,
        "priority 1",
        "P1",
        &["curiad.yaml:14:20: 'P1' is not a priority, 'priority 1' to 'priority 5'"],
    );
    check(TOP, "daily 09:00", "daily 9", &["curiad.yaml:24:57: '9' is not a time of day such as 09:00"]);
    check(
        TOP,
        "2026-01-05",
        "05/01/2026",
        &["curiad.yaml:24:76: '05/01/2026' is not a day such as 2026-09-07"],
    );
    check(
        TOP,
        "Mon-Fri 09:00-17:00",
        "Mon-Fri 17:00-09:00",
        &[
            "curiad.yaml:19:21: 'Mon-Fri 17:00-09:00' ends before it begins; split a night at 24:00 into two windows",
        ],
    );
    check(
        TOP,
        "tell: [provider]",
        "confirm: { fail: 4 of 3, every: 5m, recover: 0 }",
        &[
            "curiad.yaml:10:22: '4 of 3' is not a round such as '2 of 3' (at most 10)",
            "curiad.yaml:10:37: the time between the probes of a round is from 100ms to 1m, not 5m",
            "curiad.yaml:10:50: 'recover' is a number from 1 to 20, not '0'",
        ],
    );
    check(
        TOP,
        "tell: [provider]",
        "publish: later",
        &["curiad.yaml:10:14: 'later' is none of: automatic, after 10m, by-hand"],
    );
    check(
        TOP,
        "tell: [provider]",
        "maintenance: [{ cron: \"0 25 * * *\", for: 1h, why: { en: A, cy: B } }]",
        &["curiad.yaml:10:27: hour: 25 is not between 0 and 23"],
    );
    check(
        TOP,
        "vantages:",
        "priorities: { matrix: [[1,1,2,2,6], [1], a, [3,3,4,4,5], [4,5,5,5,5]] }\nvantages:",
        &[
            "curiad.yaml:15:42: expected a list of priorities, found a word",
            "curiad.yaml:15:33: a priority is a number from 1 to 5, not '6'",
            "curiad.yaml:15:37: a row has 5 cells, urgency 1 to 5, not 1",
        ],
    );
    check(
        TOP,
        "287ebd7da9fe198100f92cc8d1d2154e",
        "API Platform",
        &["curiad.yaml:38:25: 'API Platform' is not a sys_id: 32 hexadecimal digits, from the record's menu"],
    );
    check(
        TOP,
        "vantages:",
        "listen: { internal: 0.0.0.0:8082 }\nvantages:",
        &[
            "curiad.yaml:15:21: 0.0.0.0:8082 can be reached from beyond this machine, and shows everything: say 'trusted_network: true' under 'listen' if only people who may see it all can reach it",
        ],
    );
}

#[test]
fn both_languages() {
    check(
        API,
        "cy: Dogfennau",
        "cy: Documents",
        &[
            "apis/documents.yaml:2:28: an API's name: the Welsh is the same as the English; translate it, or add 'same: true' where it is meant",
        ],
    );
    check(
        API,
        ", cy: Dogfennau",
        "",
        &["apis/documents.yaml:2:1: a text in both languages needs the key 'cy'"],
    );
    check(
        API,
        "cy: Dogfennau",
        "cy: Dogfennau, same: true",
        &["apis/documents.yaml:2:39: an API's name: 'same: true', but the Welsh and the English differ"],
    );
    check(
        API,
        "{ en: Documents, cy: Dogfennau }",
        "Documents",
        &[
            "apis/documents.yaml:2:7: an API's name is needed in English and in Welsh; write { en: Documents, cy: … }",
        ],
    );
    check(API, "cy: Dogfennau", "cy: \" \"", &["apis/documents.yaml:2:28: an API's name may not be empty"]);
}

#[test]
fn references() {
    check(
        API,
        "team: records",
        "team: record",
        &["apis/documents.yaml:7:7: unknown team 'record'; did you mean 'records'?"],
    );
    check(
        API,
        "operations: [ping]",
        "operations: [pong]",
        &["apis/documents.yaml:17:66: unknown operation 'pong'; did you mean 'ping'?"],
    );
    check(
        API,
        "operations: [ping]",
        "from: [inside]",
        &["apis/documents.yaml:17:60: unknown vantage 'inside'; there is only 'internet'"],
    );
    check(
        API,
        "team: records",
        "team: records\ndepends_on: [identity]",
        &["apis/documents.yaml:8:14: unknown API 'identity'; there is only 'documents'"],
    );
    check(
        TOP,
        "service_desk: nsd",
        "service_desk: nds",
        &["curiad.yaml:13:19: unknown service desk 'nds'; did you mean 'nsd'?"],
    );
    check(
        TOP,
        "hours: office",
        "hours: ofice",
        &["curiad.yaml:14:39: unknown hours 'ofice'; did you mean 'office'?"],
    );
    check(
        TOP,
        "in_hours: calls",
        "in_hours: desk-first",
        &["curiad.yaml:14:57: unknown escalation 'desk-first'; there is only 'calls'"],
    );
    check(
        TOP,
        "call: rota platform,",
        "call: rota platfrom,",
        &["curiad.yaml:28:22: unknown rota 'platfrom'; did you mean 'platform'?"],
    );
    check(
        TOP,
        "call: rota platform,",
        "call: \"desk helpdesk\",",
        &["curiad.yaml:28:23: unknown service desk 'helpdesk'; there is only 'nsd'"],
    );
    check(
        TOP,
        "call: rota platform,",
        "call: everybody,",
        &["curiad.yaml:28:17: 'everybody' is none of: rota X, rota X next, person Y, desk Z"],
    );
    check(
        TOP,
        "people: [one, two]",
        "people: [one, tow]",
        &["curiad.yaml:24:40: unknown person 'tow'; did you mean 'two'?"],
    );
}

#[test]
fn sense() {
    check(
        API,
        "team: records",
        "team: records\ndepends_on: [documents]",
        &["apis/documents.yaml:8:13: these APIs depend on each other in a circle: documents → documents"],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ get: /_ping, every: 5s }",
        &["apis/documents.yaml:10:31: the timeout 5s of 'ping' must be shorter than its interval 5s"],
    );
    check(
        API,
        "operations: [ping]",
        "every: 2s",
        &[
            "apis/documents.yaml:17:60: the timeout 5s of 'ping' must be shorter than its interval 2s",
            "apis/documents.yaml:17:60: the timeout 5s of 'list' must be shorter than its interval 2s",
        ],
    );
    check(
        API,
        "slow: 1s",
        "slow: 10s",
        &[
            "apis/documents.yaml:8:32: 'ping' is slow after 10s, but its timeout is already 5s",
            "apis/documents.yaml:8:32: 'list' is slow after 10s, but its timeout is already 5s",
        ],
    );
    check(
        API,
        "lifecycle: stable",
        "lifecycle: retired",
        &[
            "apis/documents.yaml:5:12: a retired API is in no environment; take its environments away; its history stays",
        ],
    );
    check(
        API,
        "lifecycle: stable",
        "lifecycle: alpha",
        &["apis/documents.yaml:17:3: an alpha API is not in production; 'beta' may be"],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ post: /_ping }",
        &[
            "apis/documents.yaml:10:17: this POST may write; a probe never writes: POST is for SOAP, HL7 and GraphQL queries, searches ('/_search') and FHIR operations ('/$…')",
        ],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ head: /_ping, health: true }",
        &["apis/documents.yaml:10:25: an answer to HEAD has no body to judge; use 'get'"],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ get: /_ping, body: x }",
        &["apis/documents.yaml:10:24: only 'post' has a body"],
    );
    check(
        TOP,
        "last_resort: [two]",
        "last_resort: []",
        &["curiad.yaml:30:18: the last resort is empty; name the people who are called when nobody answered"],
    );
    check(
        TOP,
        "people: [one, two]",
        "people: []",
        &["curiad.yaml:24:34: nobody is on this rota; name at least one person"],
    );
    check(
        TOP,
        "people: [one, two]",
        "people: [one]",
        &[
            "curiad.yaml:29:17: this step is never reached: the rota 'platform' has one person, so there is no next",
        ],
    );
    check(
        TOP,
        "after: 0s",
        "after: 10m",
        &[
            "curiad.yaml:29:17: this step comes before the one above it and would be reached too late; put the steps in the order of their times",
        ],
    );
    check(
        TOP,
        "call: rota platform,",
        "call: person two, by: [text],",
        &["curiad.yaml:28:17: 'two' cannot be reached by text"],
    );
    check(
        TOP,
        "call: rota platform,",
        "call: desk nsd, by: [text],",
        &["curiad.yaml:28:27: a desk is called through the ticket: 'by' has no effect here"],
    );
    check(
        TOP,
        "    service_desk: nsd\n",
        "",
        &[
            "curiad.yaml:11:3: warning: incidents in production open no ticket; add 'service_desk'",
            "curiad.yaml:31:3: warning: nothing refers to the service desk 'nsd'",
        ],
    );
    check(
        TOP,
        "tell: [provider]",
        "major: { when: priority 1, hours: office, in_hours: calls, out_of_hours: calls }",
        &[
            "curiad.yaml:10:5: only production calls people out, unless this says so in as many words; add 'calls_out: true' if people are to be woken for it",
        ],
    );
    check(
        TOP,
        "out_of_hours: calls }",
        "out_of_hours: calls, calls_out: true }",
        &["curiad.yaml:14:85: unknown key 'calls_out'; one of: when, hours, in_hours, out_of_hours, declare"],
    );
    check(
        TOP,
        ", email: records@team.example",
        "",
        &["curiad.yaml:10:5: 'records', the provider of 'documents', has no e-mail to be told by"],
    );
    check(
        TOP,
        "mail: { host: localhost, tls: none, from: curiad@status.example }\n",
        "",
        &[
            "curiad.yaml:16:52: nothing carries e-mails; add the section 'mail' to curiad.yaml",
            "curiad.yaml:21:35: nothing carries e-mails; add the section 'mail' to curiad.yaml",
        ],
    );
    check(
        TOP,
        ", text: env:ONE",
        "",
        &["curiad.yaml:21:3: this person cannot be reached; give 'text', 'email' or both"],
    );
}

#[test]
fn nobodys_record_is_asked_for() {
    check(
        API,
        "get: /documents",
        "get: /documents?patient=9449306621",
        &[
            "apis/documents.yaml:12:10: this may be the NHS number of a real person; use one reserved for tests: 999 000 0000 to 999 999 9999, such as 9990000018",
        ],
    );
    check(
        API,
        "{ get: /_ping }",
        "{ post: /search, body: \"{\\\"nhs\\\": \\\"944 930 6621\\\"}\" }",
        &[
            "apis/documents.yaml:10:32: this may be the NHS number of a real person; use one reserved for tests: 999 000 0000 to 999 999 9999, such as 9990000018",
        ],
    );
    check(
        API,
        "X-Request-ID: \"{uuid}\"",
        "X-Patient: 944-930-6621",
        &[
            "apis/documents.yaml:13:27: this may be the NHS number of a real person; use one reserved for tests: 999 000 0000 to 999 999 9999, such as 9990000018",
        ],
    );
    check(API, "get: /documents", "get: /documents?patient=9990000018", &[]);
    check(API, "get: /documents", "get: /documents?at=1790000000", &[]);
}

#[test]
fn warnings() {
    check(API, "operations: [ping]", "operations: [ping, list]", &[]);
    check(
        API,
        "  sit: { url: https://sit.example/documents }\n",
        "",
        &[
            "apis/documents.yaml:11:3: warning: no environment uses the operation 'list'",
            "curiad.yaml:8:3: warning: no API is in sit",
        ],
    );
    check(
        API,
        "https://api.example",
        "http://api.example",
        &[
            "apis/documents.yaml:17:22: warning: probes of 'documents' in production cross the network as plain http",
        ],
    );
    check(
        TOP,
        "service_desk: nsd",
        "hold: { ticket: 1s }",
        &[
            "curiad.yaml:11:3: warning: incidents in production open no ticket; add 'service_desk'",
            "curiad.yaml:32:3: warning: nothing refers to the service desk 'nsd'",
        ],
    );
    check(TOP, "vantages:", "# nothing\nvantages:", &[]);
}
