//! Our witness as anybody meets it: the statuses of C2SP tlog-witness, bounds, and one history however many ask at once.

use std::collections::BTreeMap;

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::merkle::{MemoryRows, leaf_hash};
use domain::chain::note::{Note, NoteSignature};
use domain::chain::proof::prove_consistency;
use domain::chain::witness::submission::{MAX_BYTES, Submission};
use harness::platform::{MemorySigner, ORIGIN};

use crate::support::Witness;

fn tree(leaves: u32, branch: u8) -> (MemoryRows, TreeHead) {
    let rows = MemoryRows::of((0..leaves).map(|n| leaf_hash(&[&[branch], &n.to_be_bytes()[..]].concat())));
    let head = TreeHead { size: rows.size(), root: rows.root() };
    (rows, head)
}

fn note(head: TreeHead, origin: &str, seed: u8) -> Note {
    Checkpoint { origin: origin.to_owned(), head }.sign(&MemorySigner::new(seed)).expect("signed")
}

fn submission(old: u64, leaves: u32, branch: u8) -> Submission {
    let (rows, head) = tree(leaves, branch);
    let proof = prove_consistency(&rows, old, head.size).unwrap_or_default();
    Submission { old, proof, note: note(head, ORIGIN, 8) }
}

#[test]
fn each_refusal_has_its_status() {
    let witness = Witness::start("protocol", 41);
    let said = |submission: &Submission| witness.submit(&submission.to_string());
    let sized = |size: u64| (409, "text/x.tlog.size".to_owned(), format!("{size}\n"));
    let good = submission(0, 5, 0);
    let (status, _, body) = said(&good);
    assert_eq!(status, 200, "{body}");
    let line = NoteSignature::parse(body.strip_suffix('\n').expect("a line")).expect("a signature line");
    let mut cosigned = good.note.clone();
    cosigned.add(line);
    assert!(witness.key.cosigned(&cosigned).is_ok_and(|time| time.is_some()));

    assert_eq!(said(&good), sized(5), "the old size is not the last one any more");
    assert_eq!(said(&submission(3, 9, 0)), sized(5));
    assert_eq!(said(&submission(5, 5, 0)).0, 200, "the same again, for a newer time");
    assert_eq!(said(&submission(5, 5, 1)), sized(5), "another tree of the same size");
    assert_eq!(said(&submission(5, 9, 1)).0, 422, "another history");
    let mut short = submission(5, 9, 0);
    short.proof.pop();
    assert_eq!(said(&short).0, 422);
    assert_eq!(said(&Submission { old: 9, ..submission(5, 7, 0) }).0, 400, "older than old");
    assert_eq!(said(&Submission { note: note(tree(9, 0).1, "another/log", 8), ..submission(5, 9, 0) }).0, 404);
    assert_eq!(said(&Submission { note: note(tree(9, 0).1, ORIGIN, 9), ..submission(5, 9, 0) }).0, 403);
    for body in ["", "old 5\n", "old five\n\nx", &"x".repeat(MAX_BYTES)] {
        assert_eq!(witness.submit(body).0, 400, "{}", body.len());
    }
    assert_eq!(witness.submit(&"x".repeat(MAX_BYTES + 1)).0, 413);
    assert_eq!(said(&submission(5, 9, 0)).0, 200, "and after all that it goes on");
    assert_eq!(said(&submission(0, 12, 0)), sized(9));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let status = |path: &str| agent.get(format!("{}{path}", witness.url)).call().expect("an answer").status().as_u16();
    assert_eq!((status("/add-checkpoint"), status("/")), (405, 404));
}

#[test]
fn many_who_show_two_histories_at_once_get_one_cosigned() {
    let witness = Witness::start("race", 42);
    let threads: Vec<_> = (0..8_u8)
        .map(|n| {
            let (url, key) = (witness.url.clone(), witness.key.clone());
            std::thread::spawn(move || {
                let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
                let (branch, mut old, mut cosigned) = (n % 2, 0_u64, Vec::new());
                for leaves in 1..=24_u32 {
                    for _ in 0..4 {
                        let asked = submission(old.min(u64::from(leaves)), leaves, branch);
                        let answer = agent.post(format!("{url}/add-checkpoint")).send(asked.to_string());
                        let mut answer = answer.expect("an answer");
                        let body = answer.body_mut().read_to_string().expect("a text");
                        match answer.status().as_u16() {
                            200 => {
                                let mut note = asked.note.clone();
                                let line = body.strip_suffix('\n').and_then(NoteSignature::parse);
                                note.add(line.expect("a line"));
                                assert!(key.cosigned(&note).is_ok_and(|time| time.is_some()));
                                cosigned.push((u64::from(leaves), branch));
                                old = u64::from(leaves);
                                break;
                            }
                            409 => old = body.trim().parse().expect("a size"),
                            422 => break,
                            other => panic!("{other}: {body}"),
                        }
                    }
                }
                cosigned
            })
        })
        .collect();
    let mut by_size: BTreeMap<u64, u8> = BTreeMap::new();
    for (size, branch) in threads.into_iter().flat_map(|thread| thread.join().expect("no panic")) {
        assert_eq!(*by_size.entry(size).or_insert(branch), branch, "two trees of {size} leaves were cosigned");
    }
    assert!(!by_size.is_empty());
    let branches: std::collections::BTreeSet<u8> = by_size.values().copied().collect();
    assert_eq!(branches.len(), 1, "histories that part at the first leaf cannot both go on: {by_size:?}");
}
