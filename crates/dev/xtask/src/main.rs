//! Rules of the house that no compiler holds: `cargo xtask tidy`.
//!
//! Prints every breach, one a line, and ends with 1 when there is one.

mod rfc_table;
mod rings;
mod sources;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => tidy(),
        _ => {
            eprintln!("usage: cargo xtask tidy");
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    // `cargo run` tells where this package lies; without it the current folder is the workspace.
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or(".".into(), |here| PathBuf::from(here).join("../../.."));
    let breaches = [rings::check(&root), sources::check(&root), rfc_table::check(&root)].concat();
    for breach in &breaches {
        println!("{breach}");
    }
    if breaches.is_empty() {
        println!("tidy: everything in its place");
        return ExitCode::SUCCESS;
    }
    println!("tidy: {} breaches", breaches.len());
    ExitCode::FAILURE
}
