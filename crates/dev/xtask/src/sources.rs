//! Source files: how long they may be and what they may not be called.

use crate::rings::EMPTY_NAMES;
use std::path::{Path, PathBuf};

/// A file is one concept; what is longer holds two.
const LINES_MAX: usize = 900;
/// Where Rust sources are.
const FOLDERS: [&str; 3] = ["crates", "fuzz", "bench"];

/// Every breach, as a sentence.
pub fn check(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let judged = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        judge(path.strip_prefix(root).unwrap_or(path), &text)
    };
    files.iter().flat_map(judged).collect()
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, out);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

fn judge(path: &Path, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        out.push(format!("{}: {lines} lines, more than {LINES_MAX}: split it by concept", path.display()));
    }
    let named_so = path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        EMPTY_NAMES.contains(&name.strip_suffix(".rs").unwrap_or(&name))
    });
    if named_so {
        out.push(format!("{}: a module is named after what it does", path.display()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_empty_names_are_found() {
        let at = |path: &str, lines: usize| judge(Path::new(path), &"x\n".repeat(lines)).len();
        assert_eq!(at("crates/proto/imap/src/fetch.rs", LINES_MAX), 0);
        assert_eq!(at("crates/proto/imap/src/fetch.rs", LINES_MAX + 1), 1);
        assert_eq!(at("crates/proto/imap/src/utils.rs", 1), 1);
        assert_eq!(at("crates/proto/imap/src/common/fetch.rs", 1), 1);
        assert_eq!(at("crates/proto/imap/src/uncommon.rs", 1), 0);
    }

    #[test]
    fn this_very_file_is_among_those_looked_at() {
        let mut files = Vec::new();
        collect(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
        assert!(files.iter().any(|path| path.ends_with("src/sources.rs")));
    }
}
