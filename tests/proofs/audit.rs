//! An audit recomputes everything: any changed bit of a mirror or of the tables is found and named.

use domain::access::Viewer;
use domain::chain::audit::{AuditReport, audit};
use domain::chain::mirror::LiveLog;
use domain::chain::proof::root;
use domain::chain::published::StoredRows;
use domain::store::StoreError;
use harness::platform::Platform;
use integrations::mirror_directory::MirrorDirectory;

use crate::support::{ALL, ALL_MEMBERS, example, exported};

fn of_mirror(platform: &Platform, path: &std::path::Path) -> AuditReport {
    audit(platform.trust().log(), &MirrorDirectory::new(path), &mut |_, _| ()).expect("the files can be read")
}

fn of_store(platform: &Platform) -> AuditReport {
    platform
        .store()
        .read_snapshot(&Viewer::Everything, |queries| {
            audit(platform.trust().log(), &LiveLog::new(queries.chain()), &mut |_, _| ())
                .map_err(|error| StoreError::Failed(error.to_string()))
        })
        .expect("the log can be read")
}

/// All files of a directory.
fn files(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).expect("a list") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The whole export, logged and signed: enough leaves for full tiles.
fn whole() -> Platform {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let _ = platform.sequence();
    platform
}

#[test]
fn a_whole_log_passes_as_mirror_and_as_tables() {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let head = platform.sequence();
    let (path, exported) = exported(&platform, "whole");
    assert_eq!(exported, head);
    let mirror = of_mirror(&platform, &path);
    assert!(mirror.holds(), "{:?}", mirror.differences);
    assert_eq!(mirror.leaves, head.size);
    assert_eq!(of_store(&platform), mirror);
    let root = platform
        .store()
        .read(&Viewer::Everything, |q| Ok(root(&StoredRows::new(q.chain()), head.size)))
        .expect("the store answers");
    assert_eq!(root, Ok(head.root));
}

#[test]
fn any_flipped_bit_of_any_file_is_found() {
    let platform = example();
    let (path, _) = exported(&platform, "bits");
    for file in files(&path) {
        let bytes = std::fs::read(&file).expect("a file");
        for place in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 8);
            std::fs::write(&file, &flipped).expect("written");
            assert!(!of_mirror(&platform, &path).holds(), "byte {place} of {}", file.display());
        }
        std::fs::write(&file, &bytes[..bytes.len() - 1]).expect("written");
        assert!(!of_mirror(&platform, &path).holds(), "cut off: {}", file.display());
        std::fs::remove_file(&file).expect("removed");
        assert!(!of_mirror(&platform, &path).holds(), "missing: {}", file.display());
        std::fs::write(&file, &bytes).expect("written");
    }
    assert!(of_mirror(&platform, &path).holds());
}

#[test]
fn the_first_bad_leaf_of_the_tables_is_named() {
    let edits = [
        // The leaf alone (the hash in its row is a check of the table, which a superuser drops).
        (
            "leaf",
            "alter table chain_leaf drop constraint chain_leaf_check; update chain_leaf set leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '\"v\":1', '\"v\":2'), 'UTF8') where index = 7",
            7,
        ),
        // Leaf and hash, so that only the tree can tell.
        (
            "leaf and hash",
            "update chain_leaf set leaf = (select leaf from chain_leaf where index = 3), leaf_sha256 = (select leaf_sha256 from chain_leaf where index = 3) where index = 11",
            11,
        ),
        // Two leaves change places.
        (
            "swapped",
            "update chain_leaf a set leaf = b.leaf, leaf_sha256 = b.leaf_sha256 from chain_leaf b where (a.index, b.index) in ((5, 6), (6, 5))",
            5,
        ),
    ];
    for (what, sql, index) in edits {
        // Two leaves of different lanes that change places are named by a full tile only.
        let platform = if what == "swapped" { whole() } else { example() };
        platform.tamper(sql);
        let report = of_store(&platform);
        assert!(!report.holds(), "{what}");
        assert_eq!(report.first_bad_index(), Some(index), "{what}: {:?}", report.differences);
        assert!(report.differences.iter().any(|d| d.code == "root_differs"), "{what}");
    }
    let platform = example();
    platform.tamper("update chain_checkpoint_note set note = convert_to(replace(convert_from(note, 'UTF8'), 'flip360.test/log', 'flip360.test/log'), 'UTF8') || '\\x0a'",
    );
    assert_eq!(of_store(&platform).differences[0].code, "checkpoint_not_trusted");
}

#[test]
fn a_full_tile_of_the_tables_is_compared() {
    let platform = whole();
    platform.tamper("update chain_tile set hashes = set_byte(hashes, 40 * 32, 1 + get_byte(hashes, 40 * 32) % 2) where level = 0 and n = 2",
    );
    let report = of_store(&platform);
    assert_eq!(report.first_bad_index(), Some(2 * 256 + 40), "{:?}", report.differences);
    // The tile itself, and the hash above it, which is read from the tile.
    assert_eq!(report.difference_count, 2);
}
