//! Ten thousand leaves: every inclusion proof and two hundred consistency proofs, as the service makes them, judged by
//! the crates `tlog_tiles` and `ct-merkle` in every run, and by Go's checksum database out of a directory and off a web
//! server that knows nothing of logs.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ct_merkle::{ConsistencyProof as CtConsistency, InclusionProof as CtInclusion, RootHash};
use domain::access::Viewer;
use domain::chain::checkpoint::TreeHead;
use domain::chain::encoding::b64;
use domain::chain::memory::LogMemory;
use domain::chain::proofs::{self, ConsistencyProof, InclusionProof};
use domain::kernel::Digest;
use harness::leaves;
use harness::platform::Platform;
use tlog_tiles::{Hash, HashReader as _, TileHashReader, TileReader};

use crate::oracles::{built, present};
use crate::support::{exported, scratch};

const LEAVES: u64 = 10_000;
/// Sizes that were signed on the way, on both sides of the edges of tiles.
const SIGNED: [u64; 12] = [1, 2, 255, 256, 257, 1_000, 4_095, 4_096, 5_000, 8_191, 9_999, LEAVES];

/// A log of ten thousand leaves that has grown as logs do.
fn grown() -> (Platform, TreeHead) {
    let platform = Platform::new();
    let mut from = 0;
    let mut head = None;
    for size in SIGNED {
        leaves::append(&platform, &leaves::items(from, size, 97, false)).expect("logged");
        head = Some(platform.sequence());
        from = size;
    }
    (platform, head.expect("it was signed"))
}

/// Pairs of sizes: each that was signed to each later one, and others all over.
fn pairs() -> Vec<(u64, u64)> {
    let signed = SIGNED.iter().flat_map(|from| SIGNED.iter().filter(move |to| from <= to).map(move |to| (*from, *to)));
    let others = (1..).map(|n: u64| (n * 6_151 % LEAVES + 1, n * 3_571 % LEAVES + 1));
    let others = others.map(|(a, b)| (a.min(b), a.max(b)));
    signed.chain(others).take(200).collect()
}

/// The proofs, out of the store and the memory that stands before it.
fn proved(platform: &Platform) -> (Vec<InclusionProof>, Vec<ConsistencyProof>) {
    let memory = LogMemory::of_tiles(256);
    let read = platform.store().read_snapshot(&Viewer::Everything, |queries| {
        let chain = queries.chain();
        let consistent = pairs().into_iter().map(|(from, to)| proofs::consistency(&memory, chain, from, Some(to)));
        let consistent = consistent.collect::<Result<Result<Vec<_>, _>, _>>()?;
        Ok((
            consistent,
            (0..LEAVES).map(|index| proofs::inclusion_known(&memory, index, LEAVES)).collect::<Option<Vec<_>>>(),
        ))
    });
    let (consistent, included) = read.expect("the log can be read");
    (included.expect("all of it is remembered"), consistent.expect("within range"))
}

/// Every file of a mirror, by its path.
struct Fetched<F>(F);

impl<F: Fn(&str) -> Vec<u8>> TileReader for Fetched<F> {
    fn height(&self) -> u8 {
        8
    }
    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| (self.0)(&tile.path().replacen("tile/8/", "tile/", 1))).collect())
    }
    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

fn theirs(hashes: &[Digest]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(*hash.bytes())).collect()
}

fn root(digest: &Digest, size: u64) -> RootHash<sha2::Sha256> {
    RootHash::new((*digest.bytes()).into(), size)
}

#[test]
fn two_crates_verify_every_proof() {
    let (platform, head) = grown();
    assert_eq!(head.size, LEAVES);
    let (path, _) = exported(&platform, "ten-thousand");
    let mirror = Fetched(|file: &str| std::fs::read(path.join(file)).expect("a tile"));
    let reader = TileHashReader::new(head.size, Hash(*head.root.bytes()), &mirror);
    let indexes: Vec<u64> = (0..head.size).map(|n| tlog_tiles::stored_hash_index(0, n)).collect();
    let hashes = reader.read_hashes(&indexes).expect("every leaf hash is in the tree");
    let bundles: Vec<Vec<u8>> = domain::chain::tile::bundles(head.size)
        .map(|bundle| std::fs::read(path.join(bundle.path())).expect("a bundle"))
        .collect();
    let leaves: Vec<&[u8]> =
        bundles.iter().flat_map(|bytes| domain::chain::tile::unbundle(bytes).expect("leaves")).collect();
    let (included, consistent) = proved(&platform);
    assert_eq!((included.len(), leaves.len(), consistent.len()), (10_000, 10_000, 200));
    let ct_root = root(&head.root, head.size);
    for ((proof, leaf), hash) in included.iter().zip(&leaves).zip(&hashes) {
        assert_eq!(proof.root, head.root);
        assert_eq!(tlog_tiles::record_hash(leaf).0, hash.0);
        tlog_tiles::check_record(&theirs(&proof.path), head.size, Hash(*head.root.bytes()), proof.index, *hash)
            .expect("our proof");
        let digests: Vec<_> = proof.path.iter().map(|hash| (*hash.bytes()).into()).collect();
        ct_root.verify_inclusion(&leaf.to_vec(), proof.index, &CtInclusion::from_digests(&digests)).expect("our proof");
    }
    for proof in &consistent {
        // The root of the smaller tree is theirs, out of the mirror.
        for (size, root) in [(proof.from, proof.from_root), (proof.to, proof.to_root)] {
            assert_eq!(&tlog_tiles::tree_hash(size, &reader).expect("a root").0, root.bytes());
        }
        let (old, new) = (Hash(*proof.from_root.bytes()), Hash(*proof.to_root.bytes()));
        tlog_tiles::check_tree(&theirs(&proof.path), proof.to, new, proof.from, old).expect("our proof");
        let digests: Vec<_> = proof.path.iter().map(|hash| (*hash.bytes()).into()).collect();
        let (old, new) = (root(&proof.from_root, proof.from), root(&proof.to_root, proof.to));
        new.verify_consistency(&old, &CtConsistency::from_digests(&digests)).expect("our proof");
        let wrong = root(&Digest::of(b"another"), proof.from);
        assert!(new.verify_consistency(&wrong, &CtConsistency::from_digests(&digests)).is_err());
    }
}

/// One proof a line, as Go reads them.
fn written(directory: &Path, included: &[InclusionProof], consistent: &[ConsistencyProof]) -> PathBuf {
    let list = |hashes: &[Digest]| hashes.iter().map(|hash| b64(hash.bytes())).collect::<Vec<_>>();
    let mut text = String::new();
    for proof in included {
        let line = serde_json::json!({"index": proof.index, "size": proof.size, "proof": list(&proof.path)});
        writeln!(text, "{line}").expect("a text");
    }
    for proof in consistent {
        let line = serde_json::json!({"from": proof.from, "size": proof.to, "proof": list(&proof.path)});
        writeln!(text, "{line}").expect("a text");
    }
    let path = directory.join("proofs.jsonl");
    std::fs::write(&path, text).expect("written");
    path
}

/// A web server that shows the files of a directory, and nothing of ours.
struct WebServer(Child, String);

impl WebServer {
    fn show(directory: &Path) -> Self {
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut said).expect("it says where");
        let port = said.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a port").to_owned();
        Self(child, format!("http://127.0.0.1:{port}"))
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_mirror_on_any_web_server_is_read_by_other_peoples_tools() {
    if !present("python3", "--version") {
        return;
    }
    let (platform, head) = grown();
    let (path, _) = exported(&platform, "served");
    let server = WebServer::show(&path);
    let get = |file: &str| {
        let mut answer = ureq::get(format!("{}/{file}", server.1)).call().expect("a file");
        answer.body_mut().read_to_vec().expect("bytes")
    };
    let vkey = platform.trust().log().to_string();
    let note = signed_note::Note::from_bytes(&get("checkpoint")).expect("a note");
    let verifier = Box::new(signed_note::StandardVerifier::new(&vkey).expect("a verifier key"));
    assert!(note.verify(&signed_note::VerifierList::new(vec![verifier])).is_ok());
    let mirror = Fetched(get);
    let reader = TileHashReader::new(head.size, Hash(*head.root.bytes()), &mirror);
    let indexes: Vec<u64> = (0..head.size).map(|n| tlog_tiles::stored_hash_index(0, n)).collect();
    assert_eq!(reader.read_hashes(&indexes).expect("every leaf hash is in the tree").len(), 10_000);
    assert_eq!(tlog_tiles::tree_hash(head.size, &reader).expect("a root").0, *head.root.bytes());
    let proof = tlog_tiles::prove_record(head.size, 6_789, &reader).expect("a proof");
    let hash = reader.read_hashes(&[tlog_tiles::stored_hash_index(0, 6_789)]).expect("a hash")[0];
    tlog_tiles::check_record(&proof, head.size, Hash(*head.root.bytes()), 6_789, hash).expect("their proof");
    if let Some(program) = built("go-served") {
        let output = Command::new(program).args([&server.1, &vkey]).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ok: 10000 leaves, 0 proofs\n");
    }
}

#[test]
fn gos_checksum_database_verifies_every_proof() {
    let Some(program) = built("go-ten-thousand") else { return };
    let (platform, _) = grown();
    let (path, _) = exported(&platform, "go-mirror");
    let (included, consistent) = proved(&platform);
    let directory = scratch("go-proofs");
    let run = |included: &[InclusionProof], consistent: &[ConsistencyProof]| {
        let file = written(&directory, included, consistent);
        let vkey = platform.trust().log().to_string();
        let output = Command::new(&program).arg(&path).arg(vkey).arg(file).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(run(&included, &consistent), (true, "ok: 10000 leaves, 10200 proofs\n".to_owned()));
    // And it refuses what is wrong.
    let mut wrong = included[4_321].clone();
    wrong.index += 1;
    assert!(!run(&[wrong], &[]).0);
    let mut wrong = consistent.iter().find(|proof| proof.path.len() > 2).expect("a proof").clone();
    wrong.path.pop();
    assert!(!run(&[], &[wrong]).0);
}
