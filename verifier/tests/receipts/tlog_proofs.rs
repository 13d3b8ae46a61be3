//! Proofs in C2SP's `tlog-proof` form: written as the specification has them, read back, and refused when malformed.

use proptest::prelude::*;
use verifier::checkpoint::{Checkpoint, TreeHead};
use verifier::digest::Digest;
use verifier::encoding::{b64, digest_from_b64};
use verifier::leaf::LeafKind;
use verifier::merkle::leaf_hash;
use verifier::proof::check_inclusion;
use verifier::receipt::ReceiptKind;
use verifier::tlog_proof::{TlogProof, TlogProofError};
use verifier::verify::{LeafFindings, verify_leaf};

use crate::made::{LOG, Log, ORIGIN, PLATFORM, key, one_of_each, trust};

fn note(size: u64, origin: &str) -> String {
    let head = TreeHead { size, root: Digest::of(b"a root") };
    Checkpoint { origin: origin.to_owned(), head }.sign(&key(LOG)).expect("signed").to_string()
}

fn codes(findings: &LeafFindings) -> Vec<&'static str> {
    findings.faults.0.iter().map(|fault| fault.code).collect()
}

/// The seal of a handshake, and what it was signed as.
fn seal() -> (TlogProof, String) {
    let receipt = one_of_each().swap_remove(0);
    let proof = TlogProof::of(&receipt).expect("a main item");
    (proof, receipt.items[2].envelope.clone())
}

#[test]
fn it_is_written_line_by_line_as_the_specification_has_it() {
    let hashes = vec![Digest::of(b"hash 1"), Digest::of(b"hash 2")];
    let checkpoint = note(109_482, "example.com/fancylog");
    let mut proof = TlogProof { extra: None, index: 73_894, hashes, checkpoint: checkpoint.clone() };
    let lines = [b64(Digest::of(b"hash 1").bytes()), b64(Digest::of(b"hash 2").bytes())];
    let expected = format!("c2sp.org/tlog-proof@v1\nindex 73894\n{}\n{}\n\n{checkpoint}", lines[0], lines[1]);
    assert_eq!(proof.to_string(), expected);
    proof.extra = Some(b"age-v1.2.1-darwin-arm64.tar.gz".to_vec());
    assert!(
        proof
            .to_string()
            .starts_with("c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6\nindex 73894\n")
    );
    let alone = TlogProof { extra: None, index: 0, hashes: Vec::new(), checkpoint: checkpoint.clone() };
    assert_eq!(alone.to_string(), format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{checkpoint}"));
    for proof in [proof, alone] {
        assert_eq!(TlogProof::parse(proof.to_string().as_bytes()), Ok(proof));
    }
}

#[test]
fn other_spellings_are_refused() {
    let (proof, _) = seal();
    let text = proof.to_string();
    let index = format!("index {}\n", proof.index);
    let first_hash = b64(proof.hashes[0].bytes());
    let extra = text.lines().nth(1).expect("extra").to_owned();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for wrong in [
        change("@v1", "@v2"),
        change("c2sp.org/", "\u{feff}c2sp.org/"),
        change("\n", "\r\n"),
        change(&index, ""),
        change(&index, &index.replace(' ', "  ")),
        change(&index, &index.replace(' ', " 0")),
        change(&index, &index.replace(' ', " +")),
        change(&index, &index.replace(' ', " -")),
        change(&index, "index 18446744073709551616\n"),
        change(&index, &format!("{index}{index}")),
        change(&extra, &format!("{extra}\n{extra}")),
        change(&extra, "extra "),
        change(&extra, "extra"),
        change(&extra, "extra !"),
        change(&extra, &format!("{extra}=")),
        change(&first_hash, &first_hash[1..]),
        change(&first_hash, &format!("{first_hash} ")),
        change(&first_hash, "aGFsZg=="),
        change(&first_hash, &first_hash.replace('=', "")),
        change("\n\n", "\n\n\n"),
        change("\n\n", "\n"),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        text.replacen(&first_hash, &vec![first_hash.clone(); 64].join("\n"), 1),
        text.split_once("\n\n").expect("a checkpoint").0.to_owned() + "\n\n",
        String::new(),
    ] {
        assert!(TlogProof::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert_eq!(TlogProof::parse(&[0xff; 9]), Err(TlogProofError::NotText));
    assert_eq!(TlogProof::parse(&vec![b'a'; 1_000_001]), Err(TlogProofError::NotText));
    assert!(TlogProof::is_meant(text.as_bytes()) && !TlogProof::is_meant(b"{}"));
}

#[test]
fn a_proof_holds_with_its_leaf_alone_or_with_what_was_signed() {
    let (proof, envelope) = seal();
    let leaf = proof.extra.clone().expect("the leaf");
    let without = TlogProof { extra: None, ..proof.clone() };
    let alone = verify_leaf(&trust(), &proof, None, None);
    assert!(alone.holds() && alone.proved.iter().any(|line| line.contains("is a seal, number 2 on lane")));
    assert!(alone.not_proved.iter().any(|line| line.contains("commitment only")));
    assert_eq!(verify_leaf(&trust(), &without, Some(&leaf), None), alone);
    assert_eq!(verify_leaf(&trust(), &proof, Some(&leaf), None), alone);
    let whole = verify_leaf(&trust(), &proof, None, Some(envelope.as_bytes()));
    assert!(whole.holds() && whole.proved.iter().any(|line| line.contains("byte for byte")), "{whole:?}");
    assert!(!whole.not_proved.iter().any(|line| line.contains("commitment only")));
    assert_eq!(alone.leaf.as_ref().map(|leaf| leaf.kind), Some(LeafKind::Seal));
    for receipt in one_of_each() {
        for item in &receipt.items {
            let proof = TlogProof::of_item(item, &receipt.checkpoint);
            assert!(verify_leaf(&trust(), &proof, None, Some(item.envelope.as_bytes())).holds());
        }
        let last = receipt.items.last().map(|item| item.index);
        assert_eq!(TlogProof::of(&receipt).map(|proof| proof.index), last);
        if receipt.kind == ReceiptKind::Handshake {
            assert_eq!(receipt.items.len(), 3);
        }
    }
}

#[test]
fn a_malformed_or_foreign_proof_is_refused_with_the_reason() {
    let (proof, envelope) = seal();
    let leaf = proof.extra.clone().expect("the leaf");
    let other = one_of_each()[1].items[0].clone();
    let changed = |change: &dyn Fn(&mut TlogProof)| {
        let mut copy = proof.clone();
        change(&mut copy);
        copy
    };
    let cases: Vec<(&str, TlogProof)> = vec![
        ("not_included", changed(&|p| p.index += 1)),
        ("not_included", changed(&|p| p.index = 0)),
        ("leaf_after_checkpoint", changed(&|p| p.index = u64::MAX)),
        ("not_included", changed(&|p| p.hashes.push(Digest::of(b"one more")))),
        ("not_included", changed(&|p| p.hashes.insert(0, Digest::of(b"one more")))),
        ("not_included", changed(&|p| p.hashes.push(p.hashes[0]))),
        ("not_included", changed(&|p| _ = p.hashes.pop())),
        ("not_included", changed(&|p| _ = p.hashes.remove(0))),
        ("not_included", changed(&|p| p.hashes.clear())),
        ("not_included", changed(&|p| p.hashes.swap(0, 1))),
        ("not_included", changed(&|p| p.hashes = other.proof.clone())),
        ("not_included", changed(&|p| p.extra = Some(other.leaf.clone().into_bytes()))),
        ("leaf_malformed", changed(&|p| p.extra = Some(b"{}".to_vec()))),
        ("leaf_missing", changed(&|p| p.extra = None)),
        ("checkpoint_not_trusted", changed(&|p| p.checkpoint = note(100, "flip360.example/other"))),
        ("checkpoint_not_trusted", changed(&|p| p.checkpoint = Log::filled(20).checkpoint(PLATFORM))),
        ("not_included", changed(&|p| p.checkpoint = Log::filled(20).checkpoint(LOG))),
        ("not_included", changed(&|p| p.checkpoint = note(p.index + 1, ORIGIN))),
        ("leaf_after_checkpoint", changed(&|p| p.checkpoint = note(0, ORIGIN))),
    ];
    for (code, proof) in cases {
        let read = TlogProof::parse(proof.to_string().as_bytes()).expect("its form is right");
        let findings = verify_leaf(&trust(), &read, None, None);
        assert!(codes(&findings).contains(&code), "expected {code}, found {:?}", findings.faults);
        assert!(findings.proved.is_empty() && !findings.holds());
    }
    let beside = |leaf: Option<&[u8]>, envelope: Option<&[u8]>| codes(&verify_leaf(&trust(), &proof, leaf, envelope));
    assert_eq!(beside(Some(other.leaf.as_bytes()), None), ["other_leaf", "not_included"]);
    assert_eq!(beside(Some(&leaf), Some(other.envelope.as_bytes())), ["commitment_mismatch"]);
    assert_eq!(beside(None, Some(&envelope.as_bytes()[1..])), ["commitment_mismatch"]);
}

#[test]
fn every_leaf_of_every_small_log_has_a_proof_that_holds_and_no_other_index_does() {
    for size in 1..=40_u32 {
        let log = Log::filled(size);
        for index in 0..size as usize {
            let receipt = log.receipt(ReceiptKind::LedgerEntry, "entry", &[index], &[]);
            let text = TlogProof::of(&receipt).expect("a main item").to_string();
            let proof = TlogProof::parse(text.as_bytes()).expect("a proof");
            assert!(verify_leaf(&trust(), &proof, None, None).holds(), "leaf {index} of {size}");
            for other in (0..u64::from(size)).filter(|other| *other != index as u64) {
                let moved = TlogProof { index: other, ..proof.clone() };
                assert_eq!(
                    codes(&verify_leaf(&trust(), &moved, None, None)),
                    ["not_included"],
                    "{index}, {other}, {size}"
                );
            }
        }
    }
}

/// Reads a proof as the specification says it, without the reader under test: the hashes and the index.
fn by_hand(text: &str) -> (u64, Vec<Digest>) {
    let head = text.split("\n\n").next().expect("lines");
    let lines: Vec<&str> = head.lines().skip(1).filter(|line| !line.starts_with("extra ")).collect();
    let index = lines[0].strip_prefix("index ").and_then(|digits| digits.parse().ok()).expect("a number");
    (index, lines[1..].iter().map(|line| digest_from_b64(line).expect("a hash")).collect())
}

#[test]
fn what_is_written_proves_by_the_specification_alone() {
    let (proof, _) = seal();
    let (index, hashes) = by_hand(&proof.to_string());
    let head = Checkpoint::open(&proof.checkpoint, trust().log()).expect("signed").head;
    let leaf = leaf_hash(proof.extra.as_deref().expect("the leaf"));
    assert_eq!(check_inclusion(&leaf, index, head.size, &hashes, &head.root), Ok(()));
}

fn any_proof() -> impl Strategy<Value = TlogProof> {
    let extra = proptest::option::of(proptest::collection::vec(any::<u8>(), 1..300));
    let hashes = proptest::collection::vec(any::<[u8; 32]>().prop_map(Digest), 0..=63);
    (extra, any::<u64>(), hashes, 0..1_u64 << 62, "[a-z]{1,9}\\.example/[a-z0-9]{0,9}").prop_map(
        |(extra, index, hashes, size, origin)| TlogProof { extra, index, hashes, checkpoint: note(size, &origin) },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(proof in any_proof()) {
        let text = proof.to_string();
        prop_assert_eq!(by_hand(&text), (proof.index, proof.hashes.clone()));
        prop_assert_eq!(TlogProof::parse(text.as_bytes()), Ok(proof));
    }

    #[test]
    fn what_reads_is_written_back_byte_for_byte(proof in any_proof(), place: prop::sample::Index, byte: u8) {
        let mut bytes = proof.to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = TlogProof::parse(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), named: bool) {
        let first = if named { &b"c2sp.org/tlog-proof@v1\n"[..] } else { b"" };
        prop_assert!(TlogProof::parse(&[first, &bytes].concat()).is_err());
    }
}
