//! Dependencies point one way, the domain stays pure, SQL is never put together, files stay short.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom, inside the workspace.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("verifier", &[]),
    ("domain", &["verifier"]),
    ("persistence", &["domain"]),
    ("integrations", &["domain"]),
    ("api", &["domain", "persistence", "integrations"]),
    ("flip360-tests", &["domain", "persistence", "integrations", "api"]),
];

/// What the domain may use of the world: formats, digests, signatures, values. Nothing that does I/O.
const DOMAIN_MAY_USE: [&str; 13] = [
    "base64",
    "csv",
    "curve25519-dalek",
    "ed25519-dalek",
    "hex",
    "jiff",
    "secrecy",
    "serde",
    "serde_json",
    "serde_json_canonicalizer",
    "sha2",
    "subtle",
    "thiserror",
];

/// What the domain may use on demand only: schemas for the API document (ADR-16).
const DOMAIN_MAY_USE_ON_DEMAND: [&str; 1] = ["utoipa"];

/// A file longer than this is split.
const LONGEST_FILE: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The normal dependencies of each crate of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let optional = |d: &&Value| {
                d["optional"] == true && DOMAIN_MAY_USE_ON_DEMAND.contains(&d["name"].as_str().unwrap_or_default())
            };
            let normal = dependencies.iter().filter(|d| d["kind"].is_null() && !optional(d)).map(|d| text(&d["name"]));
            (text(&package["name"]), normal.collect())
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let dependencies = dependencies();
    let members: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(dependencies.keys().map(String::as_str).collect::<BTreeSet<_>>(), members);
    for (name, allowed) in ALLOWED {
        let inside = dependencies[name].iter().map(String::as_str).filter(|d| members.contains(d));
        for dependency in inside {
            assert!(allowed.contains(&dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let dependencies = dependencies();
    for (name, inside) in [("verifier", ""), ("domain", "verifier")] {
        for dependency in &dependencies[name] {
            assert!(
                dependency == "uuid" || dependency == inside || DOMAIN_MAY_USE.contains(&dependency.as_str()),
                "the crate {name} must not use {dependency}"
            );
        }
    }
    for (path, text) in ["verifier/src", "domain/src"].into_iter().flat_map(sources) {
        for banned in ["std::fs", "std::net", "std::process", "std::env", "SystemTime", "Timestamp::now", "now_v7"] {
            assert!(!code(&text).contains(banned), "{}: {banned}", path.display());
        }
    }
}

#[test]
fn sql_is_never_put_together() {
    for (path, text) in ["persistence/src", "api/src"].into_iter().flat_map(sources) {
        assert!(!code(&text).contains("sql_query"), "{}: use `statement`", path.display());
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let crates = ["verifier/src", "domain/src", "persistence/src", "integrations/src", "api/src", "tests"];
    for (path, text) in crates.into_iter().flat_map(sources) {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines; split it", path.display());
        assert!(text.starts_with("//!"), "{}: say what the module is for", path.display());
    }
}

#[test]
fn nothing_is_left_to_do_in_the_code() {
    let crates = ["verifier/src", "domain/src", "persistence/src", "integrations/src", "api/src"];
    for (path, text) in crates.into_iter().flat_map(sources) {
        for word in ["TODO", "FIXME", "XXX", "unimplemented!", "todo!", "#[allow("] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

/// The Rust files below a folder of the workspace.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no code");
    found
}

/// A file without its comments and without its unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
