//! Code that nobody here wrote judges our notes, tiles, proofs and signatures.
//!
//! Always: the crates `signed_note`, `tlog_tiles`, `ct-merkle`. When they are on the path: Go's
//! checksum-database packages, and OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use ct_merkle::{InclusionProof, RootHash};
use domain::chain::receipt::Receipt;
use domain::chain::{mirror, tile};
use harness::platform::Platform;
use harness::skip::skip;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, HashReader as _, TileHashReader, TileReader};

use crate::support::{ALL, ALL_MEMBERS, example, exported, receipts, scratch};

/// The whole export, logged and signed: enough leaves for tiles of two rows.
fn whole() -> Platform {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let _ = platform.sequence();
    platform
}

#[test]
fn signed_note_and_tlog_tiles_read_our_checkpoint() {
    let platform = example();
    let (path, head) = exported(&platform, "note");
    let bytes = std::fs::read(path.join("checkpoint")).expect("the checkpoint");
    let vkey = platform.trust().log().to_string();
    let note = Note::from_bytes(&bytes).expect("a note");
    let verifier = || Box::new(StandardVerifier::new(&vkey).expect("a verifier key"));
    let (verified, others) = note.verify(&VerifierList::new(vec![verifier()])).expect("the signature");
    assert_eq!((verified.len(), others.len()), (1, 0));
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!(checkpoint.origin(), platform.trust().origin());
    assert_eq!((checkpoint.size(), &checkpoint.hash().0), (head.size, head.root.bytes()));
    let mut forged = bytes.clone();
    let place = forged.len() - 20;
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    let forged = Note::from_bytes(&forged).expect("a note");
    assert!(forged.verify(&VerifierList::new(vec![verifier()])).is_err());
}

/// Reads an exported directory as `tlog_tiles` wants it.
struct Directory(PathBuf);

fn place(directory: &Path, tile: &tlog_tiles::Tile) -> PathBuf {
    directory.join(tile.path().replacen("tile/8/", "tile/", 1))
}

impl TileReader for Directory {
    fn height(&self) -> u8 {
        8
    }
    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| std::fs::read(place(&self.0, tile)).expect("a tile")).collect())
    }
    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn tlog_tiles_and_ct_merkle_agree_with_our_tiles_and_proofs() {
    let platform = whole();
    let (path, head) = exported(&platform, "tiles");
    let directory = Directory(path);
    let root = Hash(*head.root.bytes());
    let reader = TileHashReader::new(head.size, root, &directory);
    // It authenticates every tile against the root.
    let indexes: Vec<u64> = (0..head.size).map(|n| tlog_tiles::stored_hash_index(0, n)).collect();
    let hashes = reader.read_hashes(&indexes).expect("every leaf hash is in the tree");
    assert_eq!(tlog_tiles::tree_hash(head.size, &reader).expect("a root").0, root.0);
    let ct_root = RootHash::<sha2::Sha256>::new((*head.root.bytes()).into(), head.size);
    let mut proofs = 0;
    for (n, receipt) in receipts(&platform).into_iter().enumerate() {
        for item in receipt.items {
            let index = usize::try_from(item.index).expect("an index");
            let leaf = tlog_tiles::record_hash(item.leaf.as_bytes());
            assert_eq!(leaf.0, hashes[index].0);
            let ours: Vec<Hash> = item.proof.iter().map(|hash| Hash(*hash.bytes())).collect();
            tlog_tiles::check_record(&ours, head.size, root, item.index, leaf).expect("our proof");
            let digests: Vec<_> = item.proof.iter().map(|hash| (*hash.bytes()).into()).collect();
            let proof = InclusionProof::<sha2::Sha256>::from_digests(&digests);
            ct_root.verify_inclusion(&item.leaf.into_bytes(), item.index, &proof).expect("our proof");
            // Their proof costs them many reads; each hundredth is compared hash by hash.
            if n % 100 == 0 {
                let theirs = tlog_tiles::prove_record(head.size, item.index, &reader).expect("a proof");
                let theirs: Vec<[u8; 32]> = theirs.iter().map(|hash| hash.0).collect();
                assert_eq!(theirs, ours.iter().map(|hash| hash.0).collect::<Vec<_>>());
            }
            proofs += 1;
        }
    }
    assert!(proofs > 4_000, "{proofs}");
}

#[test]
fn our_paths_are_theirs() {
    for size in [1, 255, 256, 257, 65_536, 70_000, 256 * 1_234_067 + 5] {
        let ours: Vec<String> = tile::completed(size - size.min(300), size)
            .into_iter()
            .chain(tile::partials(size))
            .map(tile::Tile::path)
            .collect();
        let theirs: Vec<String> = tlog_tiles::Tile::new_tiles(8, size - size.min(300), size)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        for path in &theirs {
            assert!(ours.contains(path), "{size}: {path} is not in {ours:?}");
        }
        for bundle in tile::bundles(size).skip(usize::try_from(size / 256).expect("a count")) {
            let width = u32::from(bundle.width());
            let theirs = tlog_tiles::Tile::new(8, 0, bundle.index(), width, true).path();
            assert_eq!(bundle.path(), theirs.replacen("tile/8/data/", "tile/entries/", 1));
        }
    }
    assert_eq!(mirror::tiles_of(0).count(), 0);
}

/// Whether a program is here; says so when it is not.
pub fn present(program: &str, argument: &str) -> bool {
    let found = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !found {
        skip(&format!("`{program}` is not on the path"));
    }
    found
}

/// Writes some receipts to files.
fn written(directory: &Path, receipts: &[Receipt]) -> Vec<PathBuf> {
    let write = |receipt: &Receipt| {
        let path = directory.join(format!("{}.json", receipt.id));
        std::fs::write(&path, receipt.to_bytes().expect("bytes")).expect("written");
        path
    };
    receipts.iter().map(write).collect()
}

/// The program that checks with Go's packages, where Go and they are.
pub fn built(name: &str) -> Option<PathBuf> {
    const PACKAGES: &str = "/usr/share/gocode";
    if !present("go", "version") {
        return None;
    }
    if !Path::new(PACKAGES).join("src/golang.org/x/mod/sumdb/tlog").is_dir() {
        skip("golang-golang-x-mod-dev is not installed");
        return None;
    }
    let program = scratch(name).join("tlog_check");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/tlog_check.go");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(&source)
        .envs([("GO111MODULE", "off"), ("GOPATH", PACKAGES), ("GOFLAGS", "")])
        .output()
        .expect("go runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(program)
}

#[test]
fn gos_checksum_database_agrees() {
    let Some(program) = built("go-program") else { return };
    let platform = whole();
    let (path, head) = exported(&platform, "go");
    let files = written(&scratch("go-receipts"), &receipts(&platform)[..300]);
    let run = |files: &[PathBuf]| {
        let vkey = platform.trust().log().to_string();
        let output = Command::new(&program).arg(&path).arg(vkey).args(files).output().expect("the program runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (agreed, said) = run(&files);
    assert!(agreed, "{said}");
    assert_eq!(said, format!("ok: {} leaves, 900 proofs\n", head.size));
    // And it does refuse what is wrong.
    let text = std::fs::read_to_string(&files[0]).expect("a receipt").replacen("\\\"v\\\":1", "\\\"v\\\":2", 1);
    std::fs::write(&files[0], text).expect("written");
    assert!(!run(&files).0);
}

#[test]
fn openssl_verifies_the_checkpoint() {
    if !present("openssl", "version") {
        return;
    }
    let platform = example();
    let (path, _) = exported(&platform, "openssl");
    let note = std::fs::read_to_string(path.join("checkpoint")).expect("the checkpoint");
    let (text, line) = note.split_once("\n\n").expect("a note");
    let encoded = line.trim_end().rsplit(' ').next().expect("a signature");
    let signature = base64::engine::general_purpose::STANDARD.decode(encoded).expect("base64");
    let directory = scratch("openssl-files");
    std::fs::write(directory.join("text"), format!("{text}\n")).expect("written");
    std::fs::write(directory.join("signature"), &signature[4..]).expect("written");
    std::fs::write(directory.join("key.pem"), platform.trust().log().key().pem().expect("PEM")).expect("written");
    let verify = || {
        Command::new("openssl")
            .args([
                "pkeyutl",
                "-verify",
                "-rawin",
                "-pubin",
                "-inkey",
                "key.pem",
                "-in",
                "text",
                "-sigfile",
                "signature",
            ])
            .current_dir(&directory)
            .output()
            .expect("openssl runs")
            .status
            .success()
    };
    assert!(verify());
    std::fs::write(directory.join("text"), format!("{text}\n\n")).expect("written");
    assert!(!verify());
}
