//! The service desk on the page: its tickets, and what an agent does with them.

use super::html::{Linked, Safe, When, remember, trouble_form};
use crate::fault::Fault;
use crate::servicenow::{Desk, Ticket};
use crate::world::World;

/// Tickets shown, newest first.
const SHOWN: usize = 20;

pub(super) fn section(world: &World, picked: Fault) -> String {
    let desk = world.desk();
    let tickets = desk.tickets();
    let list: String = tickets
        .iter()
        .rev()
        .take(SHOWN)
        .map(|ticket| show(desk, ticket, picked))
        .collect::<Vec<_>>()
        .concat();
    let none = if tickets.is_empty() {
        "<p class=\"hint\">No ticket yet. Break something in production and wait.</p>"
    } else {
        ""
    };
    format!(
        "<section id=\"desk\"><h2>Service desk</h2>{}{none}{list}</section>",
        trouble_form("desk", "ServiceNow", desk.trouble(), picked)
    )
}

fn show(desk: &Desk, ticket: &Ticket, picked: Fault) -> String {
    let number = Safe(&ticket.number);
    let priority = ticket.field("priority");
    let over = matches!(ticket.field("state"), "6" | "7" | "8");
    let owner = [ticket.field("assignment_group"), ticket.field("assigned_to")]
        .into_iter()
        .filter(|id| !id.is_empty())
        .map(|id| desk.name_of(id))
        .collect::<Vec<_>>()
        .join(", ");
    let owner = if owner.is_empty() { "nobody yet".to_owned() } else { owner };
    let notes: String = ticket
        .notes
        .iter()
        .rev()
        .map(|note| {
            format!(
                "<li><p class=\"small\">{} {}</p><p class=\"said\">{}</p></li>",
                When(note.at),
                Safe(&note.author),
                Linked(&note.text)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let notes = if notes.is_empty() { String::new() } else { format!("<ol class=\"notes\">{notes}</ol>") };
    let description = ticket.field("description");
    let description = if description.is_empty() {
        String::new()
    } else {
        format!(
            "<details id=\"about-{number}\"><summary>Description</summary><p class=\"said\">{}</p></details>",
            Linked(description)
        )
    };
    let close = ticket.field("close_notes");
    let close =
        if close.is_empty() { String::new() } else { format!("<p class=\"said\">{}</p>", Linked(close)) };
    let acts = if over { String::new() } else { acts(ticket, picked) };
    format!(
        "<article class=\"ticket p{}{}\"><h3><span class=\"priority\">P{}</span> {}</h3>\
         <p class=\"small\">{number} · {} · {}</p>{close}{description}{notes}{acts}</article>",
        Safe(priority),
        if over { " over" } else { "" },
        Safe(priority),
        Safe(ticket.field("short_description")),
        ticket.state(),
        Safe(&owner),
    )
}

fn acts(ticket: &Ticket, picked: Fault) -> String {
    let number = Safe(&ticket.number);
    let head = format!(
        "<form class=\"acts\" method=\"post\" action=\"/tickets\">{}<input type=\"hidden\" name=\"number\" value=\"{number}\">",
        remember(picked)
    );
    let take = if ticket.field("assigned_to").is_empty() {
        "<button name=\"act\" value=\"assign\">Take it</button>"
    } else {
        ""
    };
    format!(
        "{head}<input name=\"text\" aria-label=\"Work note for {number}\" placeholder=\"Work note\" maxlength=\"4000\">\
         <button name=\"act\" value=\"note\">Add</button>{take}<button name=\"act\" value=\"resolve\">Resolve</button></form>"
    )
}
