//! A platform with the example imported and signed for, and a mirror of its log.

use std::path::PathBuf;

use domain::access::Viewer;
use domain::chain::checkpoint::TreeHead;
use domain::chain::mirror::{self, LiveLog};
use domain::chain::receipt::Receipt;
use domain::chain::receipts::{self, Wanted};
use domain::kernel::ids::{EntryId, HandshakeId};
use domain::store::StoreError;
use harness::platform::Platform;
use integrations::mirror_directory::MirrorDirectory;

pub const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
pub const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
pub const ALL: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
pub const ALL_MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");

/// The example, logged and signed.
pub fn example() -> Platform {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    let _ = platform.sequence();
    platform
}

/// Everything that there can be a receipt of, entries last.
pub fn wanted(platform: &Platform) -> Vec<Wanted> {
    let handshakes = platform.ids_of("select id from handshake order by id");
    let entries = platform.ids_of("select id from ledger_entry order by seq");
    let handshakes = handshakes.into_iter().map(|id| Wanted::Handshake(HandshakeId::new(id)));
    handshakes.chain(entries.into_iter().map(|id| Wanted::LedgerEntry(EntryId::new(id)))).collect()
}

/// Every receipt of the platform.
pub fn receipts(platform: &Platform) -> Vec<Receipt> {
    let found = receipts::find(platform.store(), &platform.actor, &wanted(platform)).expect("receipts");
    found.into_iter().map(|receipt| receipt.expect("a receipt")).collect()
}

/// An empty directory for one test.
pub fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flip360-proofs-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

/// Writes the log of the platform to a directory.
pub fn exported(platform: &Platform, name: &str) -> (PathBuf, TreeHead) {
    let path = scratch(name);
    let directory = MirrorDirectory::new(&path);
    let head = platform
        .store()
        .read_snapshot(&Viewer::Everything, |queries| {
            let log = LiveLog::new(queries.chain());
            mirror::export(&log, &directory, &mut |_, _| ())
                .map(|exported| exported.head)
                .map_err(|error| StoreError::Failed(error.to_string()))
        })
        .expect("the export ends");
    (path, head)
}
