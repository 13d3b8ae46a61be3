//! `docs/verify-without-us.md`, exactly as it stands: three programs of other people take a stranger from a receipt to a
//! verdict, and refuse what was changed. What is not installed is named and counted.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domain::chain::note::VerifierKey;
use domain::chain::receipt::{Receipt, ReceiptKind};
use domain::chain::receipts::{self, Wanted};
use domain::chain::signer::Signer;
use domain::chain::trust::Trust;
use domain::deals::referral::{OfferBy, Refer};
use domain::kernel::ids::{EntryId, HandshakeId};
use harness::platform::{MemorySigner, ORIGIN, Platform};
use harness::skip::{installed, skip};

use crate::world::{World, client};

const GUIDE: &str = include_str!("../../docs/verify-without-us.md");

/// The blocks of the guide in their order: the language and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let after = GUIDE.split("\n```").skip(1).step_by(2);
    after.map(|block| block.split_once('\n').expect("a language")).collect()
}

fn here(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !there {
        skip(&format!("`{program}` is not on the path: a step of docs/verify-without-us.md is not walked"));
    }
    there
}

/// A folder as the reader has it.
fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flip360-stranger-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    std::os::unix::fs::symlink(installed("node/node_modules"), path.join("node_modules")).expect("a link");
    path
}

/// One step of the guide; none where its program is not here.
fn step(folder: &Path, number: usize) -> Option<Output> {
    let (language, text) = blocks()[number - 1];
    let mut command = match language {
        "sh" if here("jq", "--version") && here("openssl", "version") => {
            std::fs::write(folder.join("step.sh"), text).expect("written");
            let mut sh = Command::new("sh");
            sh.arg("step.sh");
            sh
        }
        "go" if here("go", "version") && Path::new("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog").is_dir() => {
            // Built once, as `go run` does before it runs.
            if !folder.join("included").exists() {
                std::fs::write(folder.join("included.go"), text).expect("written");
                let environment = [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")];
                let mut go = Command::new("go");
                go.args(["build", "-o", "included", "included.go"]).envs(environment).current_dir(folder);
                assert!(go.status().expect("go runs").success(), "step {number} does not compile");
            }
            Command::new(folder.join("included"))
        }
        "js" if here("node", "--version") && installed("node/node_modules/jose").is_dir() => {
            std::fs::write(folder.join("signed.mjs"), text).expect("written");
            let mut node = Command::new("node");
            node.arg("signed.mjs");
            node
        }
        "sh" | "go" | "js" => return None,
        other => panic!("no program for {other}"),
    };
    Some(command.current_dir(folder).output().expect("it runs"))
}

/// Whether a step ends well with this receipt; none where its program is missing.
fn verdict(folder: &Path, receipt: &Receipt, number: usize) -> Option<bool> {
    std::fs::write(folder.join("receipt.json"), receipt.to_bytes().expect("bytes")).expect("written");
    step(folder, number).map(|output| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success() && said.lines().last().is_some_and(|line| line.starts_with("ok: "))
    })
}

/// A handshake whose offer is signed by the member, one in custody.
fn handshakes() -> Vec<Receipt> {
    let world = World::new();
    let own = world.refer(&world.signed("S-1")).expect("a referral");
    let mut terms = world.terms("S-2");
    terms.member = world.keyless;
    let custodial = world.refer(&Refer { client: client(), terms, offer: OfferBy::Custodian }).expect("a referral");
    for made in [&own, &custodial] {
        let _ = world.countersign(&world.accepted(made)).expect("a seal");
    }
    let _ = world.platform.sequence();
    received(&world.platform, &[own, custodial].map(|made| Wanted::Handshake(made.handshake)))
}

/// A handshake that a partner vouches for, and an entry.
fn imported() -> Vec<Receipt> {
    let platform = Platform::new();
    platform.onboard(include_str!("../../data/v01/v01-example-members.csv"));
    let _ = platform.import(include_bytes!("../../data/v01/v01-example-deals.csv"));
    let _ = platform.sequence();
    let first = |sql: &str| platform.ids_of(sql)[0];
    let handshake = HandshakeId::new(first("select id from handshake order by id limit 1"));
    let entry = EntryId::new(first("select id from ledger_entry order by seq limit 1"));
    received(&platform, &[Wanted::Handshake(handshake), Wanted::LedgerEntry(entry)])
}

fn received(platform: &Platform, wanted: &[Wanted]) -> Vec<Receipt> {
    let found = receipts::find(platform.store(), &platform.actor, wanted).expect("receipts");
    found.into_iter().map(|receipt| receipt.expect("a receipt")).collect()
}

/// What everybody was given when they signed up: the keys of the tests' log and platform.
fn trust(log: &MemorySigner, platform: &MemorySigner) -> String {
    let log = VerifierKey::try_new(ORIGIN, log.public_key()).expect("a verifier key");
    Trust::new(log, vec![platform.public_key()]).to_json().expect("JSON")
}

#[test]
fn a_stranger_reaches_the_verdict_with_programs_of_others() {
    let folder = folder("good");
    std::fs::write(folder.join("trust.json"), Platform::new().trust().to_json().expect("JSON")).expect("written");
    for receipt in handshakes().into_iter().chain(imported()) {
        for number in 1..=5 {
            let verdict = verdict(&folder, &receipt, number);
            assert_ne!(verdict, Some(false), "step {number} of {}: {:?}", receipt.id, step(&folder, number));
        }
    }
}

/// What may be changed in a receipt, and which step must notice.
fn changes(receipt: &Receipt) -> Vec<(&'static str, usize, Receipt)> {
    let with = |change: &dyn Fn(&mut Receipt)| {
        let mut other = receipt.clone();
        change(&mut other);
        other
    };
    vec![
        ("another size", 1, with(&|r| r.checkpoint = r.checkpoint.replacen('\n', "\n1", 1))),
        ("another index", 2, with(&|r| r.items[0].index += 1)),
        ("a shorter proof", 2, with(&|r| r.items[1].proof.truncate(1))),
        ("another leaf", 2, with(&|r| r.items[0].leaf = r.items[0].leaf.replacen("\"v\":1", "\"v\":2", 1))),
        ("another envelope", 3, with(&|r| r.items[0].envelope = r.items[1].envelope.clone())),
        ("another signature", 4, with(&|r| swap_signature(&mut r.items[0].envelope))),
        ("a key that nobody vouches for", 4, with(&|r| r.keys.clear())),
        ("another handshake", 5, with(&|r| r.id = r.id.replace(|c: char| c.is_ascii_digit(), "7"))),
    ]
}

/// The last whole character of a signature as another one.
fn swap_signature(envelope: &mut String) {
    let at = envelope.len() - 2;
    let other = if envelope.as_bytes()[at] == b'A' { "B" } else { "A" };
    envelope.replace_range(at..=at, other);
}

#[test]
fn each_step_refuses_what_it_is_there_for() {
    let receipts = handshakes();
    let folder = folder("changed");
    let write = |trust: String| std::fs::write(folder.join("trust.json"), trust).expect("written");
    write(Platform::new().trust().to_json().expect("JSON"));
    assert_eq!(receipts[0].kind, ReceiptKind::Handshake);
    assert!(!receipts[0].keys.is_empty(), "the member and the provider have keys of their own");
    for (what, number, changed) in changes(&receipts[0]) {
        assert_ne!(verdict(&folder, &changed, number), Some(true), "{what}");
    }
    write(trust(&MemorySigner::new(98), &MemorySigner::new(99)));
    for number in [1, 4] {
        let foreign = verdict(&folder, &receipts[0], number);
        assert_ne!(foreign, Some(true), "step {number} with the keys of somebody else's log and platform");
    }
}
