use super::*;
use proptest::prelude::*;
use url::Url;

fn values(value: &str) -> Values {
    let mut values = Values::new("the-id");
    values.insert("v", value.to_owned());
    values
}

fn filled(text: &str, value: &str, into: Into) -> Result<String, String> {
    values(value).fill(text, into)
}

#[test]
fn what_would_break_out_stands_as_it_is() {
    for (value, path) in [
        ("a-1", "/x/a-1/y"),
        ("../../admin", "/x/..%2F..%2Fadmin/y"),
        ("?a=b#c", "/x/%3Fa%3Db%23c/y"),
        ("//evil.example/", "/x/%2F%2Fevil.example%2F/y"),
        ("@evil.example", "/x/%40evil.example/y"),
        ("%2e%2e", "/x/%252e%252e/y"),
        ("a b\r\nX: y", "/x/a%20b%0D%0AX%3A%20y/y"),
        ("ŵ", "/x/%C5%B5/y"),
    ] {
        assert_eq!(filled("/x/{v}/y", value, Into::Path).unwrap(), path);
    }
    for dots in [".", ".."] {
        let why = filled("/x/{v}/y", dots, Into::Path).unwrap_err();
        assert_eq!(why, "the value of 'v' cannot stand in a path");
    }
    let json = filled(r#"{"a":"{v}"}"#, "\",\"admin\":\"\\\n", Into::Json).unwrap();
    assert_eq!(json, r#"{"a":"\",\"admin\":\"\\\n"}"#);
    let xml = filled("<a b='{v}'>{v}</a>", "'><b/>&\"", Into::Xml).unwrap();
    let escaped = "&#39;&gt;&lt;b/&gt;&amp;&quot;";
    assert_eq!(xml, format!("<a b='{escaped}'>{escaped}</a>"));
    assert_eq!(filled("a={v}&b=1", "1&b=2", Into::Form).unwrap(), "a=1%26b%3D2&b=1");
    assert_eq!(filled("{v}", "W/\"3\"", Into::Header).unwrap(), "W/\"3\"");
    for (text, value) in [("{v}", "a\r\nX-Evil: b"), ("{v}", "ŵ"), ("a=\"{v}\"", "x\"; b=\"y")] {
        let why = filled(text, value, Into::Header).unwrap_err();
        assert_eq!(why, "the value of 'v' cannot stand in a header");
    }
    assert_eq!(filled("/{uuid}/{v}", "1", Into::Path).unwrap(), "/the-id/1");
    assert_eq!(filled("/{w}", "1", Into::Path).unwrap_err(), "'w' was not captured");
}

#[test]
fn a_value_goes_into_a_body_only_where_it_cannot_be_a_part_of_it() {
    for (kind, body) in [
        ("application/json", r#"{"a":"x{v}y","{v}":1}"#),
        ("application/fhir+json; charset=utf-8", r#"{"a":["{v}","{v}{uuid}"]}"#),
        ("text/xml", "<a b=\"{v}\">{v}</a>"),
        ("application/soap+xml", "<a><![CDATA[{v}]]></a>"),
        ("Application/X-WWW-Form-URLencoded", "a={v}"),
    ] {
        assert_eq!(check_body(body, Some(kind)), Ok(()), "{kind} {body}");
    }
    let json = Err("this is no JSON in which each value stands within quotes".to_owned());
    for body in [r#"{"a":{v}}"#, r#"{"a":1{v}}"#, r#"{"a":tru{v}}"#, r#"{"a":"\u00{v}"}"#, r#"{"a":"\{v}"}"#]
    {
        assert_eq!(check_body(body, Some("application/json")), json, "{body}");
    }
    for body in ["<{v}/>", "<a {v}='1'/>", "<a b={v}/>", "<a>&{v};</a>", "{v}"] {
        let why = check_body(body, Some("text/xml")).unwrap_err();
        assert!(why.starts_with("this is no XML in which values are texts or attributes: "), "{body}: {why}");
    }
    for kind in [None, Some("text/plain"), Some("")] {
        let why = check_body("{v}", kind).unwrap_err();
        assert_eq!(why, "a value can be put into JSON, XML and forms: say which by the header Content-Type");
        assert_eq!(check_body("{ v }", kind), Ok(()), "no value");
    }
}

#[test]
fn no_captured_value_is_left_in_what_is_said() {
    for (value, said, left) in [
        ("a-1024", "expected 2, saw /x/a-1024/y", "expected 2, saw /x/[captured]/y"),
        ("a/1024", "at /x/a%2F1024", "at /x/[captured]"),
        ("12", "status 12: 212, 120", "status [captured]: 212, 120"),
        ("12", "12", "[captured]"),
        ("ŵ", "ŵ aŵ", "[captured] aŵ"),
    ] {
        assert_eq!(values(value).hidden(said), left);
    }
    let long = "abcdefghij".repeat(20);
    let cut: String = format!("saw {long}").chars().take(70).collect();
    assert_eq!(values(&long).hidden(&cut), "saw [captured]");
    assert_eq!(values("a").hidden("the-id"), "the-id", "the request id is no secret");
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{1,40}", "[./\\\\%?#@:&='\"<>\\[\\]{}|^ a-f0-9-]{1,20}", "(\\.|%2e|/|\\\\){1,6}"]
}

proptest! {
    #[test]
    fn whatever_a_value_is_a_path_stays_the_path_that_was_meant(value in any_value()) {
        let template = "/base/{v}/end?q={v}&r=1";
        match filled(template, &value, Into::Path) {
            Err(_) => prop_assert!(value == "." || value == ".."),
            Ok(path) => {
                let url = Url::parse(&format!("https://api.example:8443{path}")).unwrap();
                prop_assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some("api.example"), Some(8443)));
                prop_assert!(url.fragment().is_none() && url.username().is_empty());
                let parts: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert!(parts.len() == 3 && parts[0] == "base" && parts[2] == "end", "{}", url);
                let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
                prop_assert_eq!(pairs, [("q".to_owned(), value), ("r".to_owned(), "1".to_owned())]);
            }
        }
    }

    #[test]
    fn whatever_a_value_is_a_body_is_read_as_that_value_again(value in any_value()) {
        let json = filled(r#"{"a":"{v}","b":1}"#, &value, Into::Json).unwrap();
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), serde_json::json!({"a": value, "b": 1}));
        if let Ok(text) = filled("<a b=\"{v}\"><c>{v}</c></a>", &value, Into::Xml) {
            let xml = Xml::parse(&text).unwrap();
            for path in ["string(/a/@b)", "string(/a/c)"] {
                let path = crate::xml::XPath::new(path, &[]).unwrap();
                prop_assert_eq!(xml.value(&path).unwrap(), Some(value.clone()));
            }
        }
    }

    #[test]
    fn whatever_a_value_is_a_header_is_one_line(value in "(\\PC|\r|\n|\t|\0){0,20}") {
        if let Ok(filled) = filled("a {v}", &value, Into::Header) {
            prop_assert!(filled.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
        }
    }
}
