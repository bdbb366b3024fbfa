//! `troika collect`: the password from standard input; a run in this process when no server runs.

use super::arguments::Collect;
use super::{Reach, Terminal, password_from_stdin};
use crate::collecting_setup;
use crate::config::Config;
use crate::control::request::Password;
use crate::control::{Failure, Request};
use crate::operations::collect as operation;
use serde_json::{Value, json};

/// Does what is asked.
pub(super) fn run(
    reach: &mut Reach,
    config: &Config,
    command: Collect,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let password = match &command {
        Collect::Add { .. } | Collect::Set { password_stdin: true, .. } => {
            Some(Password(password_from_stdin()?))
        }
        _ => None,
    };
    if let (Collect::Run { id }, Reach::Alone(world)) = (&command, &*reach) {
        let settings = collecting_setup::settings(config, world)?;
        return operation::run_alone(world, settings, *id, terminal);
    }
    if let Collect::List { .. } = command {
        terminal.view(brief);
    }
    reach.ask(&Request::Collect { command, password }, b"", terminal)
}

/// A source in a few columns.
fn brief(row: &Value) -> Value {
    json!({
        "id": row["id"], "account": row["account"], "protocol": row["protocol"], "host": row["host"],
        "user": row["user"], "state": row["state"], "collected": row["collected_total"],
        "next": row["next_run"].as_i64().map_or(Value::Null, |at| super::queue::ahead(at).into()),
        "trouble": row["trouble"],
    })
}
