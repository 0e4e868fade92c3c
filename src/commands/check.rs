//! `curiad check`: is the configuration right, what would it change, what load would it bring; and `curiad schema`.

use crate::{
    cli::{CheckArgs, Cli, SchemaOf},
    config::{self, Secrets, check_report},
    exit::{CONFIG, Failed},
    terminal::{Terminal, complain},
};
use jiff::Timestamp;
use serde_json::json;

/// The schemas, for editors; they lie beside the example so that editors find them without a network.
const CURIAD: &str = include_str!("../../config/schema/curiad.schema.json");
const API: &str = include_str!("../../config/schema/api.schema.json");

/// `curiad check`: the report, and 0 or 78.
pub(crate) fn run(cli: &Cli, arguments: &CheckArgs, now: Timestamp) -> Result<u8, Failed> {
    let secrets = if arguments.without_secrets { Secrets::left_out() } else { Secrets::read() };
    let terminal = Terminal::new();
    let read = config::load(&cli.config, &secrets, now);
    let name = cli.config.display().to_string();
    match &read {
        Ok(loaded) if cli.json => terminal.json(&json!(loaded.warnings)),
        Ok(_) => terminal.line(check_report(&name, &read, terminal).trim_end()),
        Err(problems) => {
            if cli.json {
                terminal.json(&json!(problems));
            } else {
                complain(check_report(&name, &read, Terminal::of_errors()).trim_end());
            }
            return Ok(CONFIG);
        }
    }
    Ok(0)
}

/// `curiad schema`: one of the two, as it is kept beside the example.
pub(crate) fn schema(of: SchemaOf) {
    let text = match of {
        SchemaOf::Curiad => CURIAD,
        SchemaOf::Api => API,
    };
    Terminal::new().line(text.trim_end());
}
