//! `curiad subscriptions`: how many there are, and an address that is to be forgotten.

use crate::{
    cli::SubscriptionsCommand,
    commands::Asking,
    exit::{Failed, USAGE},
    terminal::Terminal,
};
use domain::MailAddress;
use serde_json::json;

pub(crate) async fn run(
    command: &SubscriptionsCommand,
    asking: &Asking,
    as_json: bool,
) -> Result<(), Failed> {
    let terminal = Terminal::new();
    match command {
        SubscriptionsCommand::List => {
            let all = asking.store.subscribers().await?;
            let rows = [
                ("confirmed", all.confirmed),
                ("asked for, not confirmed", all.asked),
                ("to be told when it works again", all.back),
                ("e-mails to be sent", all.due),
            ];
            if as_json {
                terminal.json(&json!({
                    "confirmed": all.confirmed, "asked": all.asked, "back": all.back, "due": all.due,
                }));
            } else {
                let lines = rows.map(|(what, count)| format!("{count:>6}  {what}"));
                terminal.line(&lines.join("\n"));
            }
        }
        SubscriptionsCommand::Forget { address } => {
            let Some(address) = MailAddress::parse(address) else {
                let what = "that is no e-mail address\nwrite it like name@example.wales";
                return Err(Failed::new(USAGE, what));
            };
            let forgotten = asking.store.forget(&address).await?;
            if as_json {
                terminal.json(&json!({ "ok": true, "forgotten": forgotten }));
            } else {
                terminal.line(&format!("forgotten, with its subscriptions: {forgotten}"));
            }
        }
    }
    Ok(())
}
