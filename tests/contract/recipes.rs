//! Every block of docs/integrate.md runs, from the top to the bottom, in the language that it is in.

use std::process::Command;

use harness::skip::{skip, workspace};

use crate::client::Place;
use crate::live::Live;
use crate::tool;

/// The blocks of a language, one after another.
fn recipes(language: &str) -> String {
    let text = std::fs::read_to_string(workspace().join("docs/integrate.md")).expect("the document");
    let begin = format!("\n```{language}\n");
    text.split(&begin).skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0)).collect::<Vec<_>>().join("\n\n")
}

/// Runs a program as the introducer. It made one referral, and one contact however often it asked for Sam.
fn follow(program: &mut Command, member_ref: &str) {
    let live = Live::start();
    let introducer = live.party("introducer");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    program
        .env("FLIP360_URL", &live.service.url)
        .env("CLIENT_ID", text(&introducer["client_id"]))
        .env("CLIENT_SECRET", text(&introducer["client_secret"]))
        .env("PROVIDER_ID", text(&live.party("provider")["organisation_id"]));
    let _ = tool::run(program);
    let platform = &live.service.platform;
    let deals = format!("select count(*) from deal where external_ref = '{member_ref}' and stage = 'referred'");
    assert_eq!(platform.number(&deals), 1);
    assert_eq!(platform.number("select count(*) from personal_data where name = 'Sam Once'"), 1);
}

#[test]
fn with_curl() {
    let script = recipes("bash");
    if Command::new("jq").arg("--version").output().is_err() {
        return skip("the recipes for curl: jq is not installed");
    }
    follow(Command::new("bash").args(["-euo", "pipefail", "-c", &script]), "CURL-1");
}

#[test]
fn with_typescript() {
    let Some(place) = Place::typescript("recipes-typescript") else { return };
    place.write("story.ts", &recipes("ts"));
    follow(&mut place.compiled(), "TS-1");
}

#[test]
fn with_python() {
    let Some(place) = Place::python("recipes-python") else { return };
    place.write("recipes.py", &recipes("python"));
    follow(place.interpreted().arg("recipes.py"), "PY-1");
}
