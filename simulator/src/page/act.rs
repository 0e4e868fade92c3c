//! The page's forms: each does one thing and leads back to the page.

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use serde::Deserialize;

use super::{Gone, alive};
use crate::fault::Fault;
use crate::trouble::Trouble;
use crate::world::{WeakWorld, World};

const NOTE: usize = 4_000;

#[derive(Debug, Deserialize)]
pub(super) struct FaultForm {
    fault: String,
    /// `{api} {environment}`, either of them `*` for all.
    cell: String,
}

/// A click on a cell puts the picked fault on, or takes any fault off; on a whole row or column the same for all of it.
pub(super) async fn faults(
    State(world): State<WeakWorld>,
    Form(form): Form<FaultForm>,
) -> Result<Redirect, Gone> {
    let world = alive(&world)?;
    let fault: Fault = form.fault.parse().unwrap_or(Fault::Refuse);
    let (api, environment) = form.cell.split_once(' ').unwrap_or_default();
    let meant: Vec<_> = world
        .instances()
        .into_iter()
        .filter(|one| {
            (api == "*" || api == one.api) && (environment == "*" || environment == one.environment)
        })
        .collect();
    let heal = meant.iter().any(|one| one.fault != Fault::None);
    for one in meant {
        // The instance was listed a moment ago: it exists.
        drop(world.set_fault(&one.api, &one.environment, if heal { Fault::None } else { fault }).await);
    }
    Ok(Redirect::to(&format!("/?fault={fault}#apis")))
}

#[derive(Debug, Deserialize)]
pub(super) struct TroubleForm {
    part: String,
    trouble: String,
    #[serde(default)]
    picked: String,
}

fn back(picked: &str, place: &str) -> Redirect {
    let fault = picked.parse().unwrap_or(Fault::Refuse);
    Redirect::to(&format!("/?fault={fault}#{place}"))
}

/// Puts a part of the world in trouble. False when there is no such part.
pub(super) async fn set_trouble(world: &World, part: &str, trouble: Trouble, requests: Option<u32>) -> bool {
    match (part, requests) {
        ("desk", None) => world.desk().set_trouble(trouble).await,
        ("desk", Some(requests)) => world.desk().set_trouble_for(trouble, requests).await,
        ("notify", None) => world.notify().set_trouble(trouble).await,
        ("notify", Some(requests)) => world.notify().set_trouble_for(trouble, requests).await,
        ("mail", None) => world.mail().set_trouble(trouble).await,
        ("mail", Some(requests)) => world.mail().set_trouble_for(trouble, requests).await,
        _ => return false,
    }
    true
}

pub(super) async fn troubles(
    State(world): State<WeakWorld>,
    Form(form): Form<TroubleForm>,
) -> Result<Redirect, Gone> {
    let world = alive(&world)?;
    if let Ok(trouble) = form.trouble.parse() {
        set_trouble(&world, &form.part, trouble, None).await;
    }
    Ok(back(&form.picked, &form.part))
}

#[derive(Debug, Deserialize)]
pub(super) struct CascadeForm {
    on: bool,
    #[serde(default)]
    picked: String,
}

pub(super) async fn cascade(
    State(world): State<WeakWorld>,
    Form(form): Form<CascadeForm>,
) -> Result<Redirect, Gone> {
    alive(&world)?.set_cascade(form.on);
    Ok(back(&form.picked, "apis"))
}

#[derive(Debug, Deserialize)]
pub(super) struct JobForm {
    does: String,
    #[serde(default)]
    picked: String,
}

pub(super) async fn job(State(world): State<WeakWorld>, Form(form): Form<JobForm>) -> Result<Redirect, Gone> {
    let world = alive(&world)?;
    if let Ok(does) = form.does.parse() {
        world.job().set(does);
    }
    Ok(back(&form.picked, "job"))
}

#[derive(Debug, Deserialize)]
pub(super) struct DeliveryForm {
    ending: String,
    #[serde(default)]
    picked: String,
}

pub(super) async fn delivery(
    State(world): State<WeakWorld>,
    Form(form): Form<DeliveryForm>,
) -> Result<Redirect, Gone> {
    let world = alive(&world)?;
    if let Ok(ending) = form.ending.parse() {
        world.notify().set_delivery(ending);
    }
    Ok(back(&form.picked, "notify"))
}

#[derive(Debug, Deserialize)]
pub(super) struct TicketForm {
    number: String,
    act: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    picked: String,
}

/// What an agent does to a ticket. False when there is no such ticket or no such act.
pub(super) fn agent(world: &World, number: &str, act: &str, person: &str, text: &str) -> bool {
    let text: String = text.trim().chars().take(NOTE).collect();
    match act {
        "assign" => world.desk().assign(number, person),
        "note" if !text.is_empty() => world.desk().note(number, person, &text),
        "resolve" => {
            let words = if text.is_empty() { "Service restored." } else { &text };
            world.desk().resolve(number, person, words)
        }
        _ => false,
    }
}

pub(super) async fn tickets(
    State(world): State<WeakWorld>,
    Form(form): Form<TicketForm>,
) -> Result<Redirect, Gone> {
    let world = alive(&world)?;
    agent(&world, &form.number, &form.act, "Beth Anglin", &form.text);
    Ok(back(&form.picked, "desk"))
}

#[derive(Debug, Deserialize)]
pub(super) struct ReplyForm {
    from: String,
    message: String,
    #[serde(default)]
    picked: String,
}

pub(super) async fn replies(
    State(world): State<WeakWorld>,
    Form(form): Form<ReplyForm>,
) -> Result<Redirect, Gone> {
    let world = alive(&world)?;
    if !form.message.trim().is_empty() {
        world.notify().reply(&form.from, form.message.trim());
    }
    Ok(back(&form.picked, "notify"))
}
