//! `flip360 guarantees` with keys in a data directory.

use std::process::ExitCode;

use api::cli::guarantees::{GuaranteesArgs, run};
use api::config::DatabaseArgs;
use domain::kernel::time::Randomness;
use harness::platform::{ORIGIN, Platform};
use integrations::key_file::KeyFile;

use crate::{EXAMPLE, MEMBERS};

/// Draws the key of a seed.
struct Seed(u8);

impl Randomness for Seed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

#[test]
fn it_answers_by_its_exit_status_and_keeps_the_run() {
    let data_dir = std::env::temp_dir().join(format!("flip360-guarantees-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data_dir);
    std::fs::create_dir_all(data_dir.join("keys")).expect("a directory");
    // The very keys of the platform, in files.
    for (name, seed) in [("platform.pem", 7), ("log.pem", 8)] {
        KeyFile::open_or_create(&data_dir.join("keys").join(name), &Seed(seed)).expect("a key");
    }
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    let _ = platform.sequence();
    let args = |json| GuaranteesArgs {
        database: DatabaseArgs {
            data_dir: data_dir.clone(),
            database_url: Some(platform.database.url("flip360_owner")),
            migrate_url: None,
        },
        log_origin: ORIGIN.to_owned(),
        json,
    };
    assert_eq!(run(&args(false)).expect("it runs"), ExitCode::SUCCESS);
    platform.tamper("update ledger_balance set balance_minor = balance_minor + 1");
    assert_eq!(run(&args(true)).expect("it runs"), ExitCode::FAILURE);
    assert_eq!(platform.number("select count(*) from guarantee_run"), 2);
    std::fs::remove_file(data_dir.join("keys/log.pem")).expect("removed");
    assert!(run(&args(true)).is_err(), "no key is made here");
    std::fs::remove_dir_all(&data_dir).expect("the directory goes");
}
