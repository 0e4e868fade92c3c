//! The world's page and its control API.

use axum::Router;

use crate::world::WeakWorld;

pub(crate) fn routes(world: WeakWorld) -> Router {
    Router::new().route("/", axum::routing::get(|| async { "the world" })).with_state(world)
}
