//! Where everything of `/api/v1` is: a test holds `openapi.json` against this list.

use crate::{days, gate, is_it_me, json, problem::Problem, ranged, router::Shown};
use axum::{
    Router,
    body::Body as HttpBody,
    extract::State,
    http::Response,
    routing::{MethodRouter, get},
};

/// Every path and what answers there, by GET alone.
fn routes() -> [(&'static str, MethodRouter<Shown>); 8] {
    [
        ("/api/v1/status", get(json::status)),
        ("/api/v1/incidents", get(json::incidents)),
        ("/api/v1/apis", get(json::apis)),
        ("/api/v1/history", get(ranged::history)),
        ("/api/v1/days", get(days::days)),
        ("/api/v1/is-it-me", get(is_it_me::json)),
        ("/api/v1/gate/{api}/{environment}", get(gate::gate)),
        ("/api/v1/openapi.json", get(json::openapi)),
    ]
}

/// All of it; other methods are told what they may do, as a problem.
pub(crate) fn router() -> Router<Shown> {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, answers)| router.route(path, answers))
        .method_not_allowed_fallback(not_allowed)
}

async fn not_allowed(State(shown): State<Shown>) -> Response<HttpBody> {
    Problem::NOT_ALLOWED.answer(shown.audience)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn the_description_has_every_path_that_there_is_and_no_other() {
        let openapi: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
        let described: BTreeSet<&str> =
            openapi["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, routes().iter().map(|(path, _)| *path).collect());
        for (path, answers) in openapi["paths"].as_object().unwrap() {
            let methods: Vec<&String> = answers.as_object().unwrap().keys().collect();
            assert_eq!(methods, ["get"], "{path}");
        }
    }

    #[test]
    fn nothing_of_it_is_elsewhere() {
        for source in [
            include_str!("router.rs"),
            include_str!("json.rs"),
            include_str!("ranged.rs"),
            include_str!("gate.rs"),
        ] {
            assert!(!source.contains(".route(\"/api/v1"), "put it into the list in v1.rs");
        }
    }
}
