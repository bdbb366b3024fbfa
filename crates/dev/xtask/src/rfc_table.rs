//! `docs/rfcs.md`: the files that the table names must exist.

use std::path::Path;

/// Folders that a path in the table may start with.
const FOLDERS: [&str; 7] = ["crates/", "golden/", "tests/", "fuzz/", "bench/", "docs/", "decisions/"];
/// Endings by which a word is a path all the same.
const ENDINGS: [&str; 4] = [".rs", ".t", ".py", ".toml"];

/// Every breach, as a sentence.
pub fn check(root: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(root.join("docs/rfcs.md")) else { return Vec::new() };
    breaches(&text, &|path| root.join(path).exists())
}

fn breaches(text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut out = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for path in paths(line) {
            if !exists(path) {
                out.push(format!("docs/rfcs.md:{}: there is no {path}", index + 1));
            }
        }
    }
    out
}

/// The paths in one line: words between backquotes or in the target of a link. What follows `::` or `#` is inside the
/// file; a pattern counts up to the folder before its first sign.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split(['`', '(', ')', ' ', ',', ';', '|', '<', '>', '[', ']', '"'])
        .map(|word| word.split("::").next().unwrap_or(word))
        .map(|word| word.split(['#', ':']).next().unwrap_or(word))
        .map(|word| word.trim_start_matches("../").trim_end_matches('.'))
        .filter(|word| {
            FOLDERS.iter().any(|folder| word.starts_with(folder) && word.len() > folder.len())
                || (word.len() > 3 && ENDINGS.iter().any(|ending| word.ends_with(ending)))
        })
        .map(|word| match word.find(['*', '{', '…']) {
            Some(sign) => word[..sign].rfind('/').map_or("", |slash| &word[..slash]),
            None => word,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_a_table() {
        let line = "| 9051 §6.4 | text/plain | `crates/proto/imap/src/fetch.rs`, [x](../tests/e2e/test_a.py#L3) | `golden/imap/*.t` | `crates/a.rs::tests::b` |";
        let found: Vec<&str> = paths(line).collect();
        assert_eq!(
            found,
            ["crates/proto/imap/src/fetch.rs", "tests/e2e/test_a.py", "golden/imap", "crates/a.rs"]
        );
    }

    #[test]
    fn what_is_missing_is_told_with_its_line() {
        let text = "head\n| `crates/here.rs` | `crates/gone.rs` |\n";
        let told = breaches(text, &|path| path == "crates/here.rs");
        assert_eq!(told, ["docs/rfcs.md:2: there is no crates/gone.rs"]);
    }
}
