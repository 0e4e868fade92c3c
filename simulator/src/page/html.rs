//! The page as a whole, and the small pieces its parts are made from.

use std::fmt;

use jiff::Timestamp;

use super::{inbox, matrix, ticket};
use crate::fault::Fault;
use crate::job::Does;
use crate::trouble::Trouble;
use crate::world::World;

/// Text made safe for HTML, in content and in attributes.
pub(super) struct Safe<'t>(pub(super) &'t str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                other => fmt::Write::write_char(out, other)?,
            }
        }
        Ok(())
    }
}

/// Text whose web addresses can be clicked.
pub(super) struct Linked<'t>(pub(super) &'t str);

impl fmt::Display for Linked<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(place) = [rest.find("http://"), rest.find("https://")].into_iter().flatten().min() {
            let (before, after) = rest.split_at(place);
            let end = after
                .find(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"'))
                .unwrap_or(after.len());
            let link = after.get(..end).unwrap_or(after).trim_end_matches(['.', ',', ')', ';', ':']);
            write!(
                out,
                "{}<a href=\"{1}\" target=\"_blank\" rel=\"noopener\">{1}</a>",
                Safe(before),
                Safe(link)
            )?;
            rest = after.get(link.len()..).unwrap_or_default();
        }
        write!(out, "{}", Safe(rest))
    }
}

/// A moment, to the second, for people; the whole of it for programs.
pub(super) struct When(pub(super) Timestamp);

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<time datetime=\"{}\">{}</time>", self.0, self.0.strftime("%H:%M:%S"))
    }
}

pub(super) const WELL: &str = "<svg class=\"shape well\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"8\"/><path d=\"M4.5 8.2l2.4 2.4 4.6-5\"/></svg>";
pub(super) const BROKEN: &str = "<svg class=\"shape broken\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path class=\"ground\" d=\"M0 0h16v16H0z\"/><path d=\"M4.5 4.5l7 7m0-7l-7 7\"/></svg>";

/// The field that remembers the picked fault over a form's way to the server and back.
pub(super) fn remember(picked: Fault) -> String {
    format!("<input type=\"hidden\" name=\"picked\" value=\"{picked}\">")
}

/// The control for a part's trouble.
pub(super) fn trouble_form(part: &str, words: &str, now: Trouble, picked: Fault) -> String {
    let options: String = Trouble::ALL
        .into_iter()
        .map(|trouble| {
            let chosen = if trouble == now { " selected" } else { "" };
            format!("<option value=\"{}\"{chosen}>{}</option>", trouble.name(), trouble.describe())
        })
        .collect::<Vec<_>>()
        .concat();
    let shape = if now == Trouble::None { WELL } else { BROKEN };
    format!(
        "<form class=\"trouble\" method=\"post\" action=\"/troubles\">{}<input type=\"hidden\" name=\"part\" value=\"{part}\">\
         {shape}<label for=\"trouble-{part}\">{words}</label><select id=\"trouble-{part}\" name=\"trouble\">{options}</select>\
         <button>Set</button></form>",
        remember(picked)
    )
}

/// The whole page.
pub(super) fn page(world: &World, picked: Fault) -> String {
    let now = world.now();
    let wrong = world.instances().iter().filter(|one| one.fault != Fault::None).count()
        + [world.desk().trouble(), world.notify().trouble(), world.mail().trouble()]
            .into_iter()
            .filter(|trouble| *trouble != Trouble::None)
            .count()
        + usize::from(world.job().runs().does != Does::Well);
    let (shape, sentence) = match wrong {
        0 => (WELL, "The world is well.".to_owned()),
        1 => (BROKEN, "One thing in the world is broken.".to_owned()),
        many => (BROKEN, format!("{many} things in the world are broken.")),
    };
    let curiad = world
        .curiad()
        .map(|url| format!(" See what Curiad makes of it at {}.", Linked(url)))
        .unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} – the world outside</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"stylesheet\" href=\"/world.css\"><link rel=\"icon\" href=\"data:,\"><script src=\"/world.js\" defer></script>\
         <noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript></head><body><main id=\"world\">\
         <header><p class=\"whose\">The world outside Curiad, simulated</p><h1>{shape}{sentence}</h1>\
         <p class=\"small\">{} UTC. {}{curiad}</p>{}</header>{}<div class=\"columns\">{}{}</div></main></body></html>",
        if wrong == 0 { "Well" } else { "Broken" },
        When(now),
        heart(world, now),
        job(world, picked),
        matrix::section(world, picked),
        ticket::section(world, picked),
        inbox::section(world, picked),
    )
}

fn job(world: &World, picked: Fault) -> String {
    let runs = world.job().runs();
    let option = |does: Does| {
        let chosen = if does == runs.does { " selected" } else { "" };
        let words = match does {
            Does::Well => "ends well, and calls Curiad",
            Does::Fails => "fails, and says so",
            Does::Silent => "is silent",
        };
        format!("<option value=\"{does}\"{chosen}>{words}</option>")
    };
    let shape = if runs.does == Does::Well { WELL } else { BROKEN };
    format!(
        "<form class=\"trouble\" id=\"job\" method=\"post\" action=\"/job\">{}{shape}<label for=\"job-does\">The import of Reference \
         Data, a scheduled job</label><select id=\"job-does\" name=\"does\">{}</select><button>Set</button></form>",
        remember(picked),
        Does::ALL.map(option).concat()
    )
}

fn heart(world: &World, now: Timestamp) -> String {
    let beats = world.heartbeat().beats();
    match beats.last {
        None => "Curiad's heartbeat has not been heard.".to_owned(),
        Some(last) => {
            let ago = (now.as_second() - last.as_second()).max(0);
            format!("Curiad's heartbeat: {} heard, the last {ago} s ago.", beats.count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_can_be_clicked_and_nothing_else_gets_out() {
        assert_eq!(
            Linked("Ack: http://127.0.0.1:8080/ack/x7Kq. <b>").to_string(),
            "Ack: <a href=\"http://127.0.0.1:8080/ack/x7Kq\" target=\"_blank\" rel=\"noopener\">http://127.0.0.1:8080/ack/x7Kq</a>. &lt;b&gt;"
        );
        assert_eq!(Linked("a \"b\" & 'c'").to_string(), "a &quot;b&quot; &amp; &#39;c&#39;");
    }
}
