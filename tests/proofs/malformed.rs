//! Malformed inclusion and consistency proofs, exhaustively over small trees: wrong length, wrong index, hashes too
//! many, too few or in another order, sizes of nothing, roots of another size. Only the honest proof is taken; and
//! `tlog_tiles` and `ct-merkle` come to the same verdict about everything that they can be asked.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use domain::chain::merkle::{MemoryRows, empty_root, leaf_hash};
use domain::chain::proof::{check_consistency, check_inclusion, prove_consistency, prove_inclusion, root};
use domain::kernel::Digest;
use tlog_tiles::Hash;

/// Trees of up to so many leaves are tried whole.
const SIZES: u64 = 20;

fn leaf(n: u64) -> Vec<u8> {
    format!("leaf {n}").into_bytes()
}

fn tree() -> MemoryRows {
    MemoryRows::of((0..=SIZES).map(|n| leaf_hash(&leaf(n))))
}

/// Everything that a proof can be changed into, and what was done to it; never the proof itself.
fn malformed(path: &[Digest]) -> Vec<(&'static str, Vec<Digest>)> {
    let changed = |change: &dyn Fn(&mut Vec<Digest>)| {
        let mut copy = path.to_vec();
        change(&mut copy);
        copy
    };
    let foreign = Digest::of(b"a foreign hash");
    let mut found = vec![
        ("one more at the end", changed(&|p| p.push(foreign))),
        ("one more at the beginning", changed(&|p| p.insert(0, foreign))),
        ("sixty-four more", changed(&|p| p.extend([foreign; 64]))),
        ("the last twice", changed(&|p| p.extend(p.last().copied()))),
        ("the whole twice", changed(&|p| p.extend_from_within(..))),
        ("the last missing", changed(&|p| _ = p.pop())),
        ("the first missing", changed(&|p| drop(p.drain(..p.len().min(1))))),
        ("all missing", Vec::new()),
        ("turned round", changed(&|p| p.reverse())),
        ("one of the empty tree more", changed(&|p| p.push(empty_root()))),
    ];
    for n in 0..path.len() {
        found.push(("one replaced", changed(&|p| p[n] = foreign)));
        found.push(("a bit flipped", changed(&|p| p[n].0[n % 32] ^= 0x80)));
        found.push(("zeros", changed(&|p| p[n] = Digest([0; 32]))));
        found.push(("one twice", changed(&|p| p.insert(n, p[n]))));
        found.push(("two swapped", changed(&|p| p.swap(n, (n + 1) % path.len()))));
    }
    found.retain(|(_, changed)| changed != path);
    found
}

/// What was asked of an inclusion proof, and the verdict that all three come to.
fn inclusion(bytes: &[u8], index: u64, size: u64, path: &[Digest], root: &Digest) -> bool {
    let ours = check_inclusion(&leaf_hash(bytes), index, size, path, root).is_ok();
    let hashes: Vec<Hash> = path.iter().map(|hash| Hash(hash.0)).collect();
    let tlog = tlog_tiles::check_record(&hashes, size, Hash(root.0), index, tlog_tiles::record_hash(bytes)).is_ok();
    let digests: Vec<_> = path.iter().map(|hash| hash.0.into()).collect();
    let proof = InclusionProof::<sha2::Sha256>::from_digests(&digests);
    let ct =
        RootHash::<sha2::Sha256>::new(root.0.into(), size).verify_inclusion(&bytes.to_vec(), index, &proof).is_ok();
    assert_eq!((ours, ours), (tlog, ct), "leaf {index} of {size}, {} hashes", path.len());
    ours
}

/// The same of a consistency proof. The others cannot be asked about the empty tree, which everything extends.
fn consistency((from, old): (u64, &Digest), (size, new): (u64, &Digest), path: &[Digest]) -> bool {
    let ours = check_consistency((from, old), (size, new), path).is_ok();
    if from > 0 {
        let hashes: Vec<Hash> = path.iter().map(|hash| Hash(hash.0)).collect();
        let tlog = tlog_tiles::check_tree(&hashes, size, Hash(new.0), from, Hash(old.0)).is_ok();
        let digests: Vec<_> = path.iter().map(|hash| hash.0.into()).collect();
        let proof = ConsistencyProof::<sha2::Sha256>::from_digests(&digests);
        let root = |digest: &Digest, size| RootHash::<sha2::Sha256>::new(digest.0.into(), size);
        let ct = root(new, size).verify_consistency(&root(old, from), &proof).is_ok();
        assert_eq!((ours, ours), (tlog, ct), "from {from} to {size}, {} hashes", path.len());
    }
    ours
}

#[test]
fn only_the_honest_inclusion_proof_is_taken() {
    let rows = tree();
    let (mut honest, mut refused) = (0, 0);
    for size in 1..=SIZES {
        let head = root(&rows, size).expect("a root");
        for index in 0..size {
            let path = prove_inclusion(&rows, index, size).expect("a proof");
            let bytes = leaf(index);
            assert!(inclusion(&bytes, index, size, &path, &head));
            honest += 1;
            let mut refuse = |what: &str, taken: bool| {
                assert!(!taken, "{what}: leaf {index} of {size}");
                refused += 1;
            };
            for (what, changed) in malformed(&path) {
                refuse(what, inclusion(&bytes, index, size, &changed, &head));
            }
            for other in (0..size).filter(|other| *other != index).chain([size, size + 1, u64::MAX]) {
                refuse("another index", inclusion(&bytes, other, size, &path, &head));
                refuse("another leaf", inclusion(&leaf(other.min(1 << 40)), index, size, &path, &head));
            }
            for other in (0..=SIZES).filter(|other| *other != size) {
                let root = root(&rows, other).expect("a root");
                refuse("the root of another size", inclusion(&bytes, index, size, &path, &root));
                if let Ok(path) = prove_inclusion(&rows, index, other) {
                    // A node may be the same in both trees, and then the path is.
                    let same = Ok(&path) == prove_inclusion(&rows, index, size).as_ref();
                    assert!(same == inclusion(&bytes, index, size, &path, &head), "the proof of {other} in {size}");
                }
            }
            refuse("a tree of nothing", inclusion(&bytes, index, 0, &path, &head));
            refuse("a tree of nothing", inclusion(&bytes, index, 0, &[], &empty_root()));
            refuse("an inner node as a leaf", inclusion(head.bytes(), index, size, &path, &head));
            // What size alone cannot tell (the root is signed together with it): the three say the same.
            for other in [size - 1, size + 1, 2 * size, 1 << 40] {
                let _ = inclusion(&bytes, index, other, &path, &head);
            }
        }
    }
    assert_eq!(honest, SIZES * (SIZES + 1) / 2);
    assert!(refused > 10_000, "{refused}");
}

#[test]
fn only_the_honest_consistency_proof_is_taken() {
    let rows = tree();
    let roots: Vec<Digest> = (0..=SIZES).map(|size| root(&rows, size).expect("a root")).collect();
    let at = |size: u64| (size, &roots[usize::try_from(size).expect("small")]);
    let mut refused = 0;
    for size in 1..=SIZES {
        for from in 1..=size {
            let path = prove_consistency(&rows, from, size).expect("a proof");
            assert!(consistency(at(from), at(size), &path));
            let mut refuse = |what: &str, taken: bool| {
                assert!(!taken, "{what}: from {from} to {size}");
                refused += 1;
            };
            for (what, changed) in malformed(&path) {
                refuse(what, consistency(at(from), at(size), &changed));
            }
            for other in (0..=SIZES).filter(|other| *other != from) {
                refuse("another old root", consistency((from, at(other).1), at(size), &path));
            }
            for other in (0..=SIZES).filter(|other| *other != size) {
                refuse("another new root", consistency(at(from), (size, at(other).1), &path));
            }
            if from < size {
                refuse("the new tree before the old", consistency(at(size), at(from), &path));
                refuse("roots swapped", consistency((from, at(size).1), (size, at(from).1), &path));
            }
            refuse("to nothing", consistency(at(from), (0, &empty_root()), &path));
            refuse("to nothing", consistency(at(from), (0, at(size).1), &[]));
            for other in [size + 1, 2 * size, 1 << 40] {
                let _ = consistency(at(from), (other, at(size).1), &path);
            }
        }
    }
    assert!(refused > 8_000, "{refused}");
}

#[test]
fn everything_extends_the_empty_tree_and_nothing_else_is_empty() {
    let rows = tree();
    let empty = empty_root();
    for size in 0..=SIZES {
        let head = root(&rows, size).expect("a root");
        let to = (size, &head);
        assert!(consistency((0, &empty), to, &[]));
        assert!(!consistency((0, &empty), to, &[head]));
        assert!(!consistency((0, &Digest::of(b"another")), to, &[]));
        assert_eq!(consistency((0, &head), to, &[]), size == 0, "the root of {size} as that of nothing");
    }
    assert!(!inclusion(&leaf(0), 0, 0, &[], &empty) && !inclusion(b"", 0, 1, &[], &empty));
}
