//! Showing answers: as JSON lines, or as a table for eyes, with a progress bar where work is long.

use crate::control::{Event, Sink};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{self, Write};

/// Standard output (rows) and standard error (progress, sentences).
pub struct Terminal {
    json: bool,
    /// How a table shows a row.
    view: fn(&Value) -> Value,
    rows: Vec<Value>,
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// `json`: rows as JSON, one a line, as they come.
    pub fn new(json: bool) -> Terminal {
        Terminal { json, view: Value::clone, rows: Vec::new(), bar: None }
    }

    /// Shows rows otherwise when they are for eyes.
    pub fn view(&mut self, view: fn(&Value) -> Value) {
        self.view = view;
    }

    /// Prints what is kept back for the table's widths, and ends the progress bar.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let rows = std::mem::take(&mut self.rows);
        // Nobody reading (a closed pipe) is no failure of ours.
        let _ = match rows.as_slice() {
            [] => Ok(()),
            [one] => print_fields(one),
            many => print_table(many),
        };
    }
}

impl Sink for Terminal {
    fn event(&mut self, event: Event, _body: &[u8]) -> io::Result<()> {
        match event {
            Event::Row(row) if self.json => writeln!(io::stdout(), "{row}")?,
            Event::Row(row) => self.rows.push((self.view)(&row)),
            Event::Say(text) => {
                if let Some(bar) = &self.bar {
                    bar.suspend(|| eprintln!("{text}"));
                } else {
                    eprintln!("{text}");
                }
            }
            Event::Progress(done, of) => {
                let bar = self.bar.get_or_insert_with(new_bar);
                bar.set_length(of);
                bar.set_position(done);
            }
            Event::Message(_) | Event::Done | Event::Failed(_) => {}
        }
        Ok(())
    }
}

fn new_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {human_pos}/{human_len}  {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) if !items.is_empty() => format!("{} entries", items.len()),
        other => other.to_string(),
    }
}

/// One thing: a line for each of its fields.
fn print_fields(row: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Value::Object(fields) = row else { return writeln!(out, "{}", plain(row)) };
    let width = fields.keys().map(|key| key.chars().count()).max().unwrap_or(0);
    for (key, value) in fields {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                writeln!(out, "{key}:")?;
                for item in items {
                    writeln!(out, "  {item}")?;
                }
            }
            value => writeln!(out, "{key:width$}  {}", plain(value))?,
        }
    }
    Ok(())
}

/// Several things: a table.
fn print_table(rows: &[Value]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Some(Value::Object(first)) = rows.first() else { return Ok(()) };
    let keys: Vec<&String> = first.keys().collect();
    let cell = |row: &Value, key: &String| row.get(key).map(plain).unwrap_or_default();
    let widths: Vec<usize> = keys
        .iter()
        .map(|key| {
            rows.iter().map(|row| cell(row, key).chars().count()).max().unwrap_or(0).max(key.chars().count())
        })
        .collect();
    let mut line = |cells: Vec<String>| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            text.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(keys.iter().map(|key| key.to_uppercase()).collect())?;
    rows.iter().try_for_each(|row| line(keys.iter().map(|key| cell(row, key)).collect()))
}
