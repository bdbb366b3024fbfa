//! The arrows: which crate may depend on which (ARCHITECTURE.md).
//!
//! Ring 1 (`crates/proto`) on ring 1, ring 2 (`crates/core`) on 1 and 2, ring 3 (`crates/shell`) on all three. Tests
//! (dev-dependencies) may also use `crates/dev`. Rings 1 and 2 reach no asynchronous or network crate, not even
//! through others.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Crates that rings 1 and 2 do without.
const SHELL_ONLY: [&str; 5] = ["tokio", "hyper", "rustls", "mio", "async-std"];
/// Names that say nothing.
pub const EMPTY_NAMES: [&str; 5] = ["common", "utils", "util", "helpers", "helper"];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Ring {
    Proto,
    Core,
    Shell,
    Dev,
}

impl Ring {
    fn of(manifest: &str) -> Option<Ring> {
        let found = |folder: &str| manifest.contains(&format!("/crates/{folder}/"));
        [("proto", Ring::Proto), ("core", Ring::Core), ("shell", Ring::Shell), ("dev", Ring::Dev)]
            .into_iter()
            .find_map(|(folder, ring)| found(folder).then_some(ring))
    }

    fn may_use(self, other: Ring, for_tests: bool) -> bool {
        match self {
            Ring::Dev => true,
            _ => other <= self || (for_tests && other == Ring::Dev),
        }
    }
}

/// Every breach, as a sentence.
pub fn check(root: &Path) -> Vec<String> {
    // As it is now, not as it was when this was compiled: clones may share a target folder.
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .expect("cargo can be run");
    if !output.status.success() {
        return vec![format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim())];
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let manifest = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    breaches(&metadata, &manifest)
}

fn breaches(metadata: &Value, manifest: &dyn Fn(&str) -> String) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours: BTreeMap<&str, (Ring, &Value)> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .filter_map(|package| {
            Some((package["name"].as_str()?, (Ring::of(package["manifest_path"].as_str()?)?, package)))
        })
        .collect();
    let mut out = Vec::new();
    for (name, (ring, package)) in &ours {
        out.extend(arrows(name, *ring, package, &ours));
        if EMPTY_NAMES.contains(name) {
            out.push(format!("{name}: a crate is named after what it does"));
        }
        let path = package["manifest_path"].as_str().unwrap_or_default();
        if !takes_workspace_lints(&manifest(path)) {
            out.push(format!("{path}: no [lints] workspace = true"));
        }
        if *ring <= Ring::Core {
            let reached = reached(metadata, package["id"].as_str().unwrap_or_default());
            out.extend(
                SHELL_ONLY
                    .iter()
                    .filter(|banned| reached.contains(**banned))
                    .map(|banned| format!("{name}: reaches {banned}, which only crates/shell may")),
            );
        }
    }
    out
}

fn arrows(name: &str, ring: Ring, package: &Value, ours: &BTreeMap<&str, (Ring, &Value)>) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies
        .iter()
        .filter(|dependency| dependency["path"].is_string())
        .filter_map(|dependency| {
            let wanted = dependency["name"].as_str()?;
            let (other, _) = ours.get(wanted)?;
            let for_tests = dependency["kind"] == "dev";
            (!ring.may_use(*other, for_tests)).then(|| {
                format!("{name} ({ring:?}) depends on {wanted} ({other:?}): the arrow points outward")
            })
        })
        .collect()
}

/// Names of everything that a package is built from (no dev-dependencies).
fn reached(metadata: &Value, start: &str) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let mut seen = BTreeSet::from([start]);
    let mut names = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop().and_then(|id| nodes.get(id)) {
        for dependency in node["deps"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let kinds = dependency["dep_kinds"].as_array().map(Vec::as_slice).unwrap_or_default();
            let Some(id) =
                dependency["pkg"].as_str().filter(|_| kinds.iter().any(|kind| kind["kind"].is_null()))
            else {
                continue;
            };
            names.extend(dependency["name"].as_str().map(|name| name.replace('_', "-")));
            if seen.insert(id) {
                open.push(id);
            }
        }
    }
    names
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.any(|line| line.replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, folder: &str, dependencies: Value) -> Value {
        json!({
            "name": name, "id": name, "source": null, "dependencies": dependencies,
            "manifest_path": format!("/x/crates/{folder}/{name}/Cargo.toml"),
        })
    }

    fn on(name: &str, kind: Option<&str>) -> Value {
        json!({ "name": name, "path": "/x", "kind": kind })
    }

    fn found(packages: Value, nodes: Value) -> Vec<String> {
        let metadata = json!({ "packages": packages, "resolve": { "nodes": nodes } });
        breaches(&metadata, &|_| "[lints]\nworkspace = true\n".to_owned())
    }

    #[test]
    fn arrows_point_inward() {
        let right = json!([
            package("wire", "proto", json!([on("transcript", Some("dev"))])),
            package("transcript", "dev", json!([on("wire", None)])),
            package("store", "core", json!([on("wire", None)])),
            package("net", "shell", json!([on("store", None), on("wire", None)])),
        ]);
        assert_eq!(found(right, json!([])), Vec::<String>::new());
        for (inner, folder, outer, outer_folder, kind) in [
            ("wire", "proto", "store", "core", None),
            ("wire", "proto", "store", "core", Some("dev")),
            ("store", "core", "net", "shell", None),
            ("store", "core", "net", "shell", Some("build")),
            ("wire", "proto", "transcript", "dev", None),
        ] {
            let wrong = json!([
                package(inner, folder, json!([on(outer, kind)])),
                package(outer, outer_folder, json!([]))
            ]);
            assert_eq!(found(wrong, json!([])).len(), 1, "{inner} -> {outer} {kind:?}");
        }
    }

    #[test]
    fn tokio_behind_another_crate_is_seen() {
        let normal = json!([{ "kind": null }]);
        let dev = json!([{ "kind": "dev" }]);
        let nodes = |kinds: &Value| {
            json!([
                { "id": "store", "deps": [{ "pkg": "outer-crate", "name": "outer_crate", "dep_kinds": kinds }] },
                { "id": "outer-crate", "deps": [{ "pkg": "t", "name": "tokio", "dep_kinds": normal }] },
            ])
        };
        let packages = || json!([package("store", "core", json!([]))]);
        assert_eq!(found(packages(), nodes(&normal)).len(), 1);
        assert_eq!(found(packages(), nodes(&dev)).len(), 0);
    }

    #[test]
    fn names_and_lints_are_looked_at() {
        assert_eq!(found(json!([package("utils", "proto", json!([]))]), json!([])).len(), 1);
        assert!(takes_workspace_lints("[package]\n\n[lints]\nworkspace = true\n"));
        assert!(!takes_workspace_lints("[package]\nversion.workspace = true\n"));
        assert!(!takes_workspace_lints("[lints]\n"));
    }
}
