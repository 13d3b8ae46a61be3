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

fn verified(trust: &Path, receipts: &[&Path], json: bool) -> ExitCode {
    let receipts = receipts.iter().map(|path| path.to_path_buf()).collect();
    verify::run(&verify::VerifyArgs { trust: trust.to_owned(), json, words: false, receipts }).expect("it runs")
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
    let args = verify::VerifyArgs { trust: one, json: false, words: false, receipts: vec![folder] };
    assert!(verify::run(&args).is_err(), "a receipt is no trust file");
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
