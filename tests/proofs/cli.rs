//! `flip360 verify`, `audit`, `log export` as their users run them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use api::cli::{audit, log, verify};
use api::config::DatabaseArgs;
use harness::platform::Platform;

use crate::support::{example, receipts, scratch};

fn database(platform: &Platform) -> DatabaseArgs {
    let database_url = Some(platform.database.url("flip360_owner"));
    DatabaseArgs { data_dir: scratch("unused"), database_url, migrate_url: None }
}

/// The trust file and the receipts of a platform in a directory.
fn handed_out(platform: &Platform, name: &str) -> (PathBuf, PathBuf) {
    let directory = scratch(name);
    let trust = directory.join("trust.json");
    std::fs::write(&trust, platform.trust().to_json().expect("JSON")).expect("written");
    let folder = directory.join("receipts");
    std::fs::create_dir_all(&folder).expect("a directory");
    for receipt in receipts(platform) {
        let path = folder.join(format!("{}.json", receipt.id));
        std::fs::write(path, receipt.to_bytes().expect("bytes")).expect("written");
    }
    (trust, folder)
}

fn args(trust: &Path, receipts: &[&Path], json: bool) -> verify::VerifyArgs {
    let receipts = receipts.iter().map(|path| path.to_path_buf()).collect();
    verify::VerifyArgs { trust: trust.to_owned(), json, words: false, leaf: None, envelope: None, receipts }
}

fn verified(trust: &Path, receipts: &[&Path], json: bool) -> ExitCode {
    verify::run(&args(trust, receipts, json)).expect("it runs")
}

/// What it says, and whether everything was proved; the input is given.
fn told(args: &verify::VerifyArgs, mut input: &[u8]) -> (String, bool) {
    let mut output = Vec::new();
    let proved = verify::answer(args, &mut input, &mut output).expect("an answer");
    (String::from_utf8(output).expect("UTF-8"), proved)
}

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/receipts");

fn example_of(name: &str) -> PathBuf {
    Path::new(EXAMPLES).join(name)
}

#[test]
fn verify_answers_by_its_exit_status() {
    let platform = example();
    let (trust, folder) = handed_out(&platform, "verify");
    assert_eq!(verified(&trust, &[&folder], false), ExitCode::SUCCESS);
    assert_eq!(verified(&trust, &[&folder], true), ExitCode::SUCCESS);
    let one = std::fs::read_dir(&folder).expect("a list").next().expect("a file").expect("an entry").path();
    assert_eq!(verified(&trust, &[&one], false), ExitCode::SUCCESS);
    let good = std::fs::read_to_string(&one).expect("a receipt");
    for bad in [good.replace("flip360.test", "flip361.test"), good[1..].to_owned(), String::new(), format!("{good}\n")]
    {
        std::fs::write(&one, bad).expect("written");
        assert_eq!(verified(&trust, &[&one], false), ExitCode::FAILURE);
        assert_eq!(verified(&trust, &[&folder], true), ExitCode::FAILURE);
    }
    assert_eq!(verified(&trust, &[&folder.join("nothing")], false), ExitCode::FAILURE);
    assert_eq!(verified(&trust, &[&scratch("empty")], false), ExitCode::FAILURE, "nothing was proved");
    assert_eq!(verified(&one, &[&folder], false), ExitCode::from(2), "a receipt is no trust file");
    assert_eq!(verified(&folder.join("nothing"), &[&folder], true), ExitCode::from(2), "there is no trust file");
}

#[test]
fn verify_tells_what_was_proved_as_of_when_by_which_keys_and_what_was_not() {
    let (trust, receipt) = (example_of("trust.json"), example_of("payout_approval.json"));
    let (text, proved) = told(&args(&trust, &[&receipt], false), &[]);
    assert!(proved && text.starts_with("HOLDS   run_"), "{text}");
    for line in ["proved: ", "not proved: ", "as of: the checkpoint of ", "signed by: flip360.example/log+"] {
        assert!(text.contains(&format!("\n        {line}")), "{line}: {text}");
    }
    // Several at once: a line each and a sum; in words when that is asked for.
    let kinds = ["handshake", "ledger_entry", "agreement_approval", "payout_approval", "guarantee_run", "tax_document"];
    let files = kinds.map(|kind| example_of(&format!("{kind}.json")));
    let proof = example_of("handshake.tlog-proof");
    let all: Vec<&Path> = files.iter().chain([&proof]).map(PathBuf::as_path).collect();
    let (text, proved) = told(&args(&trust, &all, false), &[]);
    assert!(proved && text.lines().count() == 8 && text.ends_with("7 receipts: 7 hold, 0 do not\n"), "{text}");
    let (long, _) = told(&verify::VerifyArgs { words: true, ..args(&trust, &all, false) }, &[]);
    assert!(long.lines().count() > 40, "{long}");
    let (lines, proved) = told(&args(&trust, &all, true), &[]);
    let values: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert!(
        proved && values.iter().all(|value| value["holds"] == true && value["checkpoint"]["size"] == 22),
        "{lines}"
    );
    let told_kinds: Vec<&str> = values.iter().map(|value| value["kind"].as_str().expect("a kind")).collect();
    assert_eq!(told_kinds, [&kinds[..], &["leaf"]].concat());
    // A directory takes receipts and proofs; the trust file among them is none.
    let (text, proved) = told(&args(&trust, &[Path::new(EXAMPLES)], false), &[]);
    assert!(!proved && text.ends_with("8 receipts: 7 hold, 1 do not\n"), "{text}");
}

#[test]
fn verify_reads_the_standard_input_once() {
    let trust = example_of("trust.json");
    let bytes = std::fs::read(example_of("guarantee_run.json")).expect("an example");
    let (text, proved) = told(&args(&trust, &[Path::new("-")], false), &bytes);
    assert!(proved && text.starts_with("HOLDS   grun_") && text.contains("(-)"), "{text}");
    for wrong in [&bytes[1..], &[], &[b' '; 1_000_001][..]] {
        let (text, proved) = told(&args(&trust, &[Path::new("-")], false), wrong);
        assert!(!proved && text.starts_with("BROKEN  -: "), "{text}");
    }
    let twice = args(&trust, &[Path::new("-"), Path::new("-")], false);
    assert!(verify::answer(&twice, &mut std::io::empty(), &mut Vec::new()).is_err());
    assert_eq!(verify::run(&twice).expect("it runs"), ExitCode::from(2));
}

#[test]
fn verify_takes_the_leaf_and_the_envelope_of_one_proof() {
    let trust = example_of("trust.json");
    let folder = scratch("proofs");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let receipt = std::fs::read(example_of("handshake.json")).expect("an example");
    let receipt = domain::chain::receipt::Receipt::parse(&receipt).expect("a receipt");
    let whole = std::fs::read_to_string(example_of("handshake.tlog-proof")).expect("an example");
    let extra = whole.lines().nth(1).expect("a line").to_owned() + "\n";
    let bare = write("bare.tlog-proof", whole.replacen(&extra, "", 1).as_bytes());
    let whole = write("whole.tlog-proof", whole.as_bytes());
    let [leaf, other] = [2, 1].map(|n| write(&format!("leaf-{n}"), receipt.items[n].leaf.as_bytes()));
    let [envelope, foreign] = [2, 1].map(|n| write(&format!("envelope-{n}"), receipt.items[n].envelope.as_bytes()));
    let asked = |proof: &Path, leaf: Option<&PathBuf>, envelope: Option<&PathBuf>| {
        let beside =
            verify::VerifyArgs { leaf: leaf.cloned(), envelope: envelope.cloned(), ..args(&trust, &[proof], false) };
        told(&beside, &[])
    };
    for (proof, leaf, envelope) in [
        (&whole, None, None),
        (&whole, Some(&leaf), None),
        (&bare, Some(&leaf), None),
        (&bare, Some(&leaf), Some(&envelope)),
        (&whole, None, Some(&envelope)),
    ] {
        let (text, proved) = asked(proof, leaf, envelope);
        assert!(proved && text.starts_with("HOLDS   leaf ") && text.contains("is a seal"), "{text}");
        assert_eq!(text.contains("commits to the envelope"), envelope.is_some(), "{text}");
    }
    for (proof, leaf, envelope, code) in [
        (&bare, None, None, "leaf_missing"),
        (&bare, None, Some(&envelope), "leaf_missing"),
        (&bare, Some(&other), None, "not_included"),
        (&bare, Some(&envelope), None, "leaf_malformed"),
        (&whole, Some(&other), None, "other_leaf"),
        (&whole, None, Some(&foreign), "commitment_mismatch"),
    ] {
        let (text, proved) = asked(proof, leaf, envelope);
        assert!(!proved && text.starts_with("BROKEN  leaf ") && text.contains(code), "{code}: {text}");
    }
    let (text, proved) = asked(&example_of("handshake.json"), Some(&leaf), None);
    assert!(!proved && text.contains("are for proofs"), "{text}");
    let many = verify::VerifyArgs { leaf: Some(leaf), ..args(&trust, &[&whole, &bare], false) };
    assert_eq!(verify::run(&many).expect("it runs"), ExitCode::from(2));
    let missing = verify::VerifyArgs { leaf: Some(folder.join("nothing")), ..args(&trust, &[&bare], false) };
    assert_eq!(verify::run(&missing).expect("it runs"), ExitCode::from(2));
}

#[test]
fn what_is_exported_passes_the_audit_and_so_does_the_database() {
    let platform = example();
    let (trust, _) = handed_out(&platform, "audit");
    let mirror = scratch("audit-mirror").join("log");
    let contents = mirror.with_file_name("contents.ndjson");
    let export = || {
        let export = Some(contents.clone());
        let command = log::LogCommand::Export { directory: mirror.clone(), export, database: database(&platform) };
        log::run(&log::LogArgs { command })
    };
    assert_eq!(export().expect("it runs"), ExitCode::SUCCESS);
    assert_eq!(export().expect("it runs again over the same files"), ExitCode::SUCCESS);
    let arguments = |mirror: Option<&Path>, json| audit::AuditArgs {
        trust: trust.clone(),
        mirror: mirror.map(Path::to_path_buf),
        export: None,
        kept: Vec::new(),
        json,
        database: database(&platform),
    };
    let audited = |mirror: Option<&Path>, json| audit::run(&arguments(mirror, json));
    let with_export = |mirror: Option<&Path>| {
        let export = Some(contents.clone());
        audit::run(&audit::AuditArgs { export, ..arguments(mirror, false) }).expect("it runs")
    };
    let kept = vec![mirror.join("checkpoint")];
    let kept = audit::run(&audit::AuditArgs { kept, ..arguments(None, true) });
    assert_eq!(kept.expect("it runs"), ExitCode::SUCCESS);
    assert_eq!((with_export(Some(&mirror)), with_export(None)), (ExitCode::SUCCESS, ExitCode::SUCCESS));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&contents).expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600, "what partners signed is nobody else's to read");
    let whole = std::fs::read(&contents).expect("lines");
    std::fs::write(&contents, &whole[..whole.len() - 20]).expect("written");
    assert_eq!(with_export(Some(&mirror)), ExitCode::FAILURE, "cut off");
    assert_eq!(audited(Some(&mirror), false).expect("it runs"), ExitCode::SUCCESS);
    assert_eq!(audited(None, true).expect("it runs"), ExitCode::SUCCESS);
    std::fs::remove_file(mirror.join("checkpoint")).expect("removed");
    assert_eq!(audited(Some(&mirror), true).expect("it runs"), ExitCode::FAILURE);
    assert_eq!(audited(Some(&scratch("no-mirror")), false).expect("it runs"), ExitCode::FAILURE);
    platform.tamper("update chain_leaf set leaf = (select leaf from chain_leaf where index = 0), leaf_sha256 = (select leaf_sha256 from chain_leaf where index = 0) where index = 1");
    assert_eq!(audited(None, false).expect("it runs"), ExitCode::FAILURE);
}

#[test]
fn a_log_without_a_checkpoint_is_not_exported() {
    let platform = Platform::new();
    for export in [None, Some(scratch("unsigned").join("contents"))] {
        let command = log::LogCommand::Export { directory: scratch("nowhere"), export, database: database(&platform) };
        let refused = log::run(&log::LogArgs { command }).map(|_| ()).expect_err("nothing is signed");
        assert!(refused.to_string().contains("no signed checkpoint"), "{refused}");
    }
}
