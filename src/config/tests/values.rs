//! Words that do not mean what they must: one at a time.

use super::wrong::{API, TOP, check};

#[test]
fn values_of_an_api() {
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
}

#[test]
fn values_of_everything_else() {
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
