//! Troika: one mail server. This binary wires the crates together: configuration, command line, control socket,
//! listeners. What mail is and does stands in the other crates.

mod cli;
mod collecting_setup;
mod config;
mod control;
mod operations;
mod publish;
mod quickstart;
mod sending;
mod serve;
mod telling;
mod world;

use clap::{CommandFactory, Parser};
use cli::arguments::{self, Arguments, Command};
use config::Config;
use control::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("troika: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let command = arguments.command.take();
    match command {
        None => quickstart::run(&arguments::Quickstart {
            dir: "troika-data".into(),
            domain: "example.test".into(),
            port_base: 2000,
        }),
        Some(Command::Quickstart(options)) => quickstart::run(&options),
        Some(Command::Serve) => {
            let path =
                Config::find(arguments.config.as_deref()).map_err(|error| Failure::new(error.to_string()))?;
            serve::run(&path, None)
        }
        Some(Command::Config(command)) => config_command(&arguments, &command),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Arguments::command(), "troika", &mut std::io::stdout());
            Ok(())
        }
        Some(Command::Man) => clap_mangen::Man::new(Arguments::command())
            .render(&mut std::io::stdout())
            .map_err(|error| Failure::new(error.to_string())),
        Some(command) => cli::run(&arguments, command),
    }
}

fn config_command(arguments: &Arguments, command: &arguments::Config) -> Result<(), Failure> {
    if let arguments::Config::Example = command {
        print!("{}", Config::example());
        return Ok(());
    }
    let wrong = |error: config::ConfigError| Failure::new(error.to_string());
    let path = Config::find(arguments.config.as_deref()).map_err(wrong)?;
    let config = Config::load(&path).map_err(wrong)?;
    match command {
        arguments::Config::Check => {
            eprintln!("{} is right: {} listeners", path.display(), config.listener.len())
        }
        arguments::Config::Show if arguments.json => {
            println!("{}", serde_json::to_string(&config).map_err(|error| Failure::new(error.to_string()))?);
        }
        _ => print!("{}", toml::to_string(&config).map_err(|error| Failure::new(error.to_string()))?),
    }
    Ok(())
}
