//! The style sheet, the icon and the one script: embedded, named by their content, kept by browsers for a year.

use crate::body::Body;
use std::sync::LazyLock;

/// How long a document that changes with the program only may be kept.
pub(crate) const AN_HOUR: &str = "public, max-age=3600";

/// A file with its path.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) path: String,
    pub(crate) body: Body,
}

fn asset(stem: &str, extension: &str, kind: &'static str, source: &str) -> Asset {
    let body = Body::new(kind, source.as_bytes().to_vec());
    Asset { path: format!("/assets/{stem}-{}.{extension}", body.hash()), body }
}

const CSS_KIND: &str = "text/css; charset=utf-8";
const ICON_KIND: &str = "image/svg+xml";
const ICON_SOURCE: &str = include_str!("../assets/icon.svg");

const WALL_KIND: &str = "text/javascript; charset=utf-8";
const WALL_SOURCE: &str = include_str!("../assets/wall.js");

/// The style sheet's source, for a document that stands by itself.
pub(crate) const STYLE: &str = include_str!("../assets/page.css");

static CSS: LazyLock<Asset> = LazyLock::new(|| asset("page", "css", CSS_KIND, STYLE));
static ICON: LazyLock<Asset> = LazyLock::new(|| asset("icon", "svg", ICON_KIND, ICON_SOURCE));

/// The style sheet.
pub(crate) fn css() -> &'static Asset {
    &CSS
}

/// The icon.
pub(crate) fn icon() -> &'static Asset {
    &ICON
}

static WALL: LazyLock<Asset> = LazyLock::new(|| asset("wall", "js", WALL_KIND, WALL_SOURCE));

/// The script of the wall view, the only one.
pub(crate) fn wall() -> &'static Asset {
    &WALL
}

/// Each with its path, its media type and its text.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let of = |asset: &'static Asset, kind, source| (asset.path.as_str(), kind, source);
    [of(css(), CSS_KIND, STYLE), of(icon(), ICON_KIND, ICON_SOURCE), of(wall(), WALL_KIND, WALL_SOURCE)]
        .into_iter()
}

/// The asset at `path`.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    [css(), icon(), wall()].into_iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_style_sheet_is_one_small_file_without_anything_from_outside() {
        let source = include_str!("../assets/page.css");
        assert!(source.len() <= 20_000, "{} bytes", source.len());
        for outside in ["@import", "http:", "https:", "@font-face"] {
            assert!(!source.contains(outside), "{outside}");
        }
        assert_eq!(source.matches("url(").count(), source.matches("url(#").count());
        for needed in
            ["prefers-color-scheme: dark", "forced-colors", "@media print", "prefers-reduced-motion"]
        {
            assert!(source.contains(needed), "{needed}");
        }
    }
}
