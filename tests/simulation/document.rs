//! The commands of `docs/simulations.md` give what it shows.

use std::path::{Path, PathBuf};

use api::cli::simulate::{SimulateArgs, answer};
use clap::Parser;

use super::imported;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: SimulateArgs,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// Ids are another in each database.
fn without_ids(text: &str) -> String {
    let word = |word: &str| match word.split_once('_') {
        Some((kind @ ("deal" | "member"), suffix)) if suffix.len() == 26 => format!("{kind}_…"),
        _ => word.to_owned(),
    };
    text.lines()
        .map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n")
        .collect()
}

/// Names of files are relative to the workspace.
fn parsed(command: &str) -> SimulateArgs {
    let mut args = Cli::parse_from(command.split_whitespace().skip(1)).args;
    args.candidates = args.candidates.iter().map(|path| root().join(path)).collect();
    args.chart = args.chart.as_ref().map(|path| scratch(path));
    args
}

fn scratch(path: &Path) -> PathBuf {
    std::env::temp_dir().join(format!("flip360-document-{}-{}", std::process::id(), path.display()))
}

#[test]
fn the_document_shows_what_its_commands_answer() {
    let document = std::fs::read_to_string(root().join("docs/simulations.md")).expect("the document");
    let platform = imported();
    let (mut seen, mut commands) = (String::new(), 0);
    let mut rest = document.as_str();
    while let Some((before, block)) = rest.split_once("```console\n$ ") {
        let (block, after) = block.split_once("```").expect("the end of a block");
        let (command, _) = block.split_once('\n').expect("a command");
        let args = parsed(command);
        let mut told = Vec::new();
        answer(platform.store(), &args, &mut told).expect("an answer");
        if let Some(chart) = &args.chart {
            let drawn = std::fs::read_to_string(chart).expect("a chart");
            assert!(drawn.contains("<svg") && drawn.contains("Cash by month"), "{command}");
            std::fs::remove_file(chart).expect("it is removed");
        }
        let told = without_ids(&String::from_utf8(told).expect("UTF-8"));
        seen += &format!("{before}```console\n$ {command}\n{told}```");
        commands += 1;
        rest = after;
    }
    seen += rest;
    assert_eq!(commands, 5);
    if seen != document {
        let path = root().join("target/simulations.md");
        std::fs::write(&path, seen).expect("what was seen is kept");
        panic!("docs/simulations.md shows something else: what its commands answer now stands in {}", path.display());
    }
}
