//! What does not fit together, though each word may be right: one mistake at a time.

use super::wrong::{API, TOP, check};

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
fn an_api_that_makes_no_sense() {
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
}

#[test]
fn duties_that_make_no_sense() {
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
    check(
        API,
        "https://api.example/documents",
        "https://sit.example/documents/",
        &["apis/documents.yaml:17:22: warning: production has the same URL as sit"],
    );
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
