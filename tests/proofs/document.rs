//! The commands of `docs/receipts.md` answer what it shows, about the examples beside it.

use std::path::Path;

use api::cli::verify::{VerifyArgs, answer};
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: VerifyArgs,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// What a command of the document says, with names of files as it gives them.
fn told(command: &str) -> String {
    let mut args = Cli::parse_from(command.split_whitespace().skip(1)).args;
    args.trust = root().join(args.trust);
    args.envelope = args.envelope.map(|path| root().join(path));
    args.receipts = args.receipts.iter().map(|path| root().join(path)).collect();
    let mut told = Vec::new();
    assert!(answer(&args, &mut std::io::empty(), &mut told).expect("an answer"), "{command}");
    String::from_utf8(told).expect("UTF-8").replace(&format!("{}/", root().display()), "")
}

#[test]
fn the_document_shows_what_its_commands_answer() {
    let document = std::fs::read_to_string(root().join("docs/receipts.md")).expect("the document");
    let (mut seen, mut commands) = (String::new(), 0);
    let mut rest = document.as_str();
    while let Some((before, block)) = rest.split_once("```console\n$ ") {
        let (block, after) = block.split_once("```").expect("the end of a block");
        let (command, _) = block.split_once('\n').expect("a command");
        seen += &format!("{before}```console\n$ {command}\n{}```", told(command));
        commands += 1;
        rest = after;
    }
    seen += rest;
    assert_eq!(commands, 7, "each kind, and a proof");
    if seen != document {
        let path = root().join("target/receipts.md");
        std::fs::write(&path, seen).expect("what was seen is kept");
        panic!("docs/receipts.md shows something else: what its commands answer now stands in {}", path.display());
    }
}
