//! No change of the committed document breaks those who built on the one before, unless an ADR says why.
//!
//! Looked at: every version of the document in the history of this branch since `openapi/accepted-breaks.md`
//! began, and the one that lies here. What breaks must stand in that file, with the ADR that decided it.

use std::collections::BTreeSet;
use std::process::Command;

use harness::skip::{skip, workspace};
use serde_json::Value;

use crate::breaking::breaking;

const DOCUMENT: &str = "openapi/flip360.v1.json";
const EXCEPTIONS: &str = "openapi/accepted-breaks.md";

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(workspace()).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The documents of the commits since the gate began, oldest first.
fn history() -> Option<Vec<Value>> {
    let began = git(&["log", "--first-parent", "--reverse", "--format=%H", "--", EXCEPTIONS])?;
    let Some(began) = began.lines().next() else { return Some(Vec::new()) };
    let since = git(&["log", "--first-parent", "--reverse", "--format=%H", &format!("{began}.."), "--", DOCUMENT])?;
    let commits = std::iter::once(began).chain(since.lines());
    let texts: Vec<String> =
        commits.map(|commit| git(&["show", &format!("{commit}:{DOCUMENT}")])).collect::<Option<_>>()?;
    // A merge that was committed half done left one that is no JSON: nobody was served it.
    Some(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

#[test]
fn nothing_breaks_without_an_adr() {
    let exceptions = std::fs::read_to_string(workspace().join(EXCEPTIONS)).expect("the file");
    let Some(mut versions) = history() else {
        return skip("git or its history is not here: breaking changes are not looked for");
    };
    let now = std::fs::read(workspace().join(DOCUMENT)).expect("the document");
    versions.push(serde_json::from_slice(&now).expect("JSON"));
    let found: BTreeSet<String> = versions.windows(2).flat_map(|pair| breaking(&pair[0], &pair[1])).collect();
    let told = |finding: &str| exceptions.lines().any(|line| line.contains(&format!("`{finding}`")));
    let untold: Vec<String> = found.into_iter().filter(|finding| !told(finding)).collect();
    let untold = untold.join("\n");
    assert!(
        untold.is_empty(),
        "this breaks clients:\n{untold}\nundo it, or write an ADR and name both in {EXCEPTIONS}"
    );
}

#[test]
fn each_exception_names_an_adr_that_is_there() {
    let exceptions = std::fs::read_to_string(workspace().join(EXCEPTIONS)).expect("the file");
    for line in exceptions.lines().filter(|line| line.starts_with("| `")) {
        let (_, rest) = line.split_once("docs/adr/").unwrap_or_else(|| panic!("{line}: names no ADR"));
        let name: String = rest.chars().take_while(|c| !matches!(c, ')' | ' ' | '|' | '`')).collect();
        assert!(workspace().join("docs/adr").join(&name).is_file(), "{line}: {name} is not there");
    }
}
