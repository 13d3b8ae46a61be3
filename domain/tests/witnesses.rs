//! Cosignatures, quorums, submissions and the judgement of a witness: against vectors of the public witness network, and
//! against a model that compares leaves.

#![expect(clippy::expect_used, reason = "helpers of tests may panic")]

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::cosignature::WitnessKey;
use domain::chain::merkle::{MemoryRows, leaf_hash};
use domain::chain::note::{Note, NoteError, VerifierKey};
use domain::chain::policy::{MAX_WITNESSES, Policy, PolicyError};
use domain::chain::proof::prove_consistency;
use domain::chain::receipt::{self, Receipt, ReceiptKind};
use domain::chain::signer::Signer;
use domain::chain::trust::{Trust, TrustError};
use domain::chain::verify::verify;
use domain::chain::witness::answer::{self, Reply, Told};
use domain::chain::witness::cosigner::{Refusal, judge};
use domain::chain::witness::file::Witnesses;
use domain::chain::witness::submission::{MAX_PROOF, Submission};
use domain::kernel::Digest;
use proptest::prelude::*;

#[path = "../../verifier/tests/receipts/signer.rs"]
mod signer;
use signer::key;

const ORIGIN: &str = "flip360.test/log";
/// A witness of the public network, and what it cosigned of a public log on 2 August 2026.
const NAVIGLI: &str = "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G";
const COACHANDHORSES: &str = "coachandhorses2026h1.staging.certificate.transparency.goog
185550722
YXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=

\u{2014} coachandhorses2026h1.staging.certificate.transparency.goog MpXgsHy8ZwxXnO+WjtVrPxAzL49Rs1gWTkNVNeEa//5peAzaocRCB3qt3EaibjzY5GILLtGgBP7dBhgcSHy+JQh0OAc=
\u{2014} witness.navigli.sunlight.geomys.org o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwvouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZTC/CQ==
";
/// The checkpoint that monitors of the network submit.
const TEST_LOG: &str = "geomys.org/witness/test-log+c0787ff4+AeMb5VOzy60PTGdGmLPxOKGAa0jNyDGsgv2rnprGju1t";
const TEST_LOG_NOTE: &str = "geomys.org/witness/test-log
1
BCml5C32yqMcl0gjTrcSOeNVx59oPnSdytBzDGBO5k0=

\u{2014} geomys.org/witness/test-log wHh/9BPsoBNr2x0Ol3qPBYasIN0HI2ZiBg5ac0v3LQq/7F+YO7U4oWbDeJn1VaWVrlbSEM30Gr7WWYQjj2SBxRoJ/Ao=
";

fn log() -> VerifierKey {
    VerifierKey::try_new(ORIGIN, key(1).public_key()).expect("a name")
}

fn witness(seed: u8) -> WitnessKey {
    WitnessKey::try_new(&format!("witness.test/w{seed}"), key(seed).public_key()).expect("a name")
}

fn signed(head: TreeHead) -> Note {
    Checkpoint { origin: ORIGIN.to_owned(), head }.sign(&key(1)).expect("signed")
}

fn some_head() -> TreeHead {
    TreeHead { size: 42, root: Digest::of(b"root") }
}

/// The checkpoint of 42 leaves, cosigned by these.
fn cosigned(seeds: &[u8]) -> Note {
    let mut note = signed(some_head());
    for seed in seeds {
        let line = witness(*seed).cosign(note.text(), 1_790_000_000 + u64::from(*seed), &key(*seed));
        note.add(line.expect("cosigned"));
    }
    note
}

fn policy(seeds: &[u8], quorum: usize) -> Policy {
    Policy::try_new(seeds.iter().map(|seed| witness(*seed)).collect(), quorum).expect("a policy")
}

#[test]
fn a_cosignature_of_the_public_network_verifies_and_so_does_its_test_log() {
    let navigli = WitnessKey::parse(NAVIGLI).expect("a key");
    assert_eq!(navigli.to_string(), NAVIGLI);
    let note = Note::parse(COACHANDHORSES).expect("a note");
    assert_eq!(navigli.cosigned(&note), Ok(Some(0x6a6f_b0f3)));
    let another = Note::parse(&COACHANDHORSES.replacen("185550722", "185550723", 1)).expect("a note");
    assert_eq!(navigli.cosigned(&another), Err(NoteError::BadSignature(navigli.name().to_owned())));
    let opened = Checkpoint::open(TEST_LOG_NOTE, &VerifierKey::parse(TEST_LOG).expect("a key")).expect("it is theirs");
    assert_eq!(opened.head.size, 1);
}

#[test]
fn keys_of_logs_and_of_witnesses_are_not_mistaken_for_each_other() {
    let (log_key, witness_key) = (log().to_string(), witness(2).to_string());
    assert!(WitnessKey::parse(&log_key).is_err() && VerifierKey::parse(&witness_key).is_err());
    assert_ne!(VerifierKey::try_new("w", key(2).public_key()).expect("a name").id(), {
        WitnessKey::try_new("w", key(2).public_key()).expect("a name").id()
    });
    for bad in
        ["", "w", "w+00000000+BA==", &witness_key.replace("witness.test/w2", "witness.test/w3"), &witness_key[1..]]
    {
        assert!(WitnessKey::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_cosignature_is_of_one_key_one_text_and_one_time(time in 0..i64::MAX as u64, size: u64, byte in 0_usize..72, bit in 0_u8..8) {
        let size = size >> 2;
        let note = signed(TreeHead { size, root: Digest::of(&size.to_be_bytes()) });
        let line = witness(2).cosign(note.text(), time, &key(2)).expect("cosigned");
        let with = |line| { let mut note = note.clone(); note.add(line); note };
        let whole = with(line.clone());
        prop_assert_eq!(witness(2).cosigned(&whole), Ok(Some(time)));
        prop_assert_eq!(Note::parse(&whole.to_string()), Ok(whole.clone()));
        prop_assert_eq!(witness(3).cosigned(&whole), Ok(None));
        // The log's own signature is none of a witness, and the reverse.
        prop_assert!(whole.verify(&log()).is_ok());
        let mut flipped = line.clone();
        flipped.signature[byte] ^= 1 << bit;
        prop_assert!(witness(2).cosigned(&with(flipped)).is_err());
        let other = signed(TreeHead { size: size + 1, root: Digest::of(&size.to_be_bytes()) });
        let mut moved = other;
        moved.add(line);
        prop_assert!(witness(2).cosigned(&moved).is_err());
    }

    #[test]
    fn a_submission_reads_as_it_was_written_and_no_other_text_reads_as_it(old: u64, hashes in 0..=MAX_PROOF, place: prop::sample::Index, with: u8) {
        let proof: Vec<Digest> = (0..hashes).map(|n| Digest::of(&n.to_be_bytes())).collect();
        let submission = Submission { old, proof, note: cosigned(&[2]) };
        let text = submission.to_string();
        prop_assert_eq!(Submission::parse(text.as_bytes()), Ok(submission));
        let mut bytes = text.into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = with;
        if let Ok(read) = Submission::parse(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes);
        }
    }
}

#[test]
fn a_submission_of_another_form_is_refused() {
    let good = Submission { old: 7, proof: vec![Digest::of(b"a")], note: signed(some_head()) }.to_string();
    assert!(Submission::parse(good.as_bytes()).is_ok());
    let many = Submission { old: 7, proof: vec![Digest::of(b"a"); MAX_PROOF + 1], note: signed(some_head()) };
    for bad in [
        String::new(),
        many.to_string(),
        good.replacen("old 7", "old 07", 1),
        good.replacen("old 7", "old +7", 1),
        good.replacen("old 7", "old", 1),
        good.replacen("old 7", "Old 7", 1),
        good.replacen("old 7", " old 7", 1),
        good.replacen("old 7\n", "old 7\r\n", 1),
        good.replacen("old 7\n", "", 1),
        good.replacen("=\n\n", "\n\n", 1),
        good.replacen("\n\n", "\n", 1),
        good.trim_end().to_owned(),
        format!("{good}x"),
        "old 18446744073709551616\n\n".to_owned() + &signed(some_head()).to_string(),
    ] {
        assert!(Submission::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_quorum_counts_each_witness_once() {
    let three = policy(&[2, 3, 4], 2);
    for (seeds, met) in [(&[][..], false), (&[2], false), (&[2, 2], false), (&[2, 9], false), (&[2, 4], true)] {
        assert_eq!(three.is_met_by(&cosigned(seeds)), met, "{seeds:?}");
    }
    let twice = Policy::try_new(vec![witness(2), witness(2)], 1);
    assert_eq!(twice, Err(PolicyError::Twice("witness.test/w2".into())));
    let renamed = WitnessKey::try_new("another.test/name", key(2).public_key()).expect("a name");
    let same_key = Policy::try_new(vec![witness(2), renamed], 1);
    assert_eq!(same_key, Err(PolicyError::Twice("another.test/name".into())), "one key is one witness");
    assert_eq!(Policy::try_new(vec![witness(2)], 2), Err(PolicyError::Quorum { quorum: 2, witnesses: 1 }));
    let many = (0..=MAX_WITNESSES).map(|n| witness(u8::try_from(n + 2).expect("small"))).collect();
    assert_eq!(Policy::try_new(many, 1), Err(PolicyError::TooMany));
}

#[test]
fn a_trust_file_names_witnesses_or_is_as_it_was_before() {
    let plain = Trust::new(log(), vec![key(8).public_key()]);
    let old = plain.to_json().expect("JSON");
    assert!(!old.contains("witnesses") && !old.contains("quorum"));
    assert_eq!(Trust::parse(old.as_bytes()), Ok(plain.clone()));
    let trust = plain.clone().witnessed(policy(&[2, 3], 1)).expect("strangers");
    let new = trust.to_json().expect("JSON");
    assert_eq!(Trust::parse(new.as_bytes()), Ok(trust));
    let refused = |text: &str| Trust::parse(text.as_bytes()).expect_err("refused");
    assert!(matches!(refused(&new.replace("\"quorum\": 1", "\"quorum\": 3")), TrustError::Witnesses(_)));
    assert!(matches!(refused(&new.replace("witness.test/w3", "witness.test/w2")), TrustError::Witnesses(_)));
    assert!(matches!(refused(&old.replacen('{', "{\"quorum\": 1,", 1)), TrustError::Witnesses(_)));
    for own in [1, 8] {
        assert!(matches!(plain.clone().witnessed(policy(&[own], 1)), Err(TrustError::OwnWitness(_))), "{own}");
    }
}

#[test]
fn a_receipt_tells_who_cosigned_and_is_refused_below_the_quorum() {
    let judged = |note: &Note, trusted: &[u8], quorum: usize| {
        let trust = Trust::new(log(), vec![key(8).public_key()]).witnessed(policy(trusted, quorum)).expect("strangers");
        let receipt = Receipt {
            checkpoint: note.to_string(),
            declaration: None,
            id: "entry".to_owned(),
            items: Vec::new(),
            keys: Vec::new(),
            kind: ReceiptKind::LedgerEntry,
            log: ORIGIN.to_owned(),
            r#type: receipt::TYPE.to_owned(),
            v: receipt::VERSION,
        };
        let findings = verify(&trust, &receipt);
        let codes: Vec<&str> = findings.faults.0.iter().map(|fault| fault.code).collect();
        let nobody = findings.not_proved.iter().any(|said| said.contains("no witness has cosigned"));
        (findings.witnesses, codes, nobody)
    };
    let names = |seeds: &[u8]| seeds.iter().map(|seed| format!("witness.test/w{seed}")).collect::<Vec<_>>();
    let only = ["wrong_number_of_items"];
    assert_eq!(judged(&cosigned(&[]), &[2, 3], 0), (vec![], only.to_vec(), true));
    assert_eq!(judged(&cosigned(&[9]), &[2, 3], 0), (vec![], only.to_vec(), true), "a stranger counts for nothing");
    assert_eq!(judged(&cosigned(&[2]), &[2, 3], 1), (names(&[2]), only.to_vec(), false));
    assert_eq!(judged(&cosigned(&[3, 2]), &[2, 3], 2), (names(&[2, 3]), only.to_vec(), false));
    let short = judged(&cosigned(&[2]), &[2, 3], 2);
    assert_eq!(short, (names(&[2]), vec!["quorum_not_met", only[0]], false));
    let mut forged = cosigned(&[2]);
    let mut line = witness(3).cosign(forged.text(), 5, &key(3)).expect("cosigned");
    line.signature[40] ^= 1;
    forged.add(line);
    assert_eq!(judged(&forged, &[2, 3], 1), (names(&[2]), vec!["cosignature_invalid", only[0]], false));
}

#[test]
fn answers_of_a_witness_are_read_for_what_they_are() {
    let note = signed(some_head());
    let reply =
        |status, kind: &str, body: &str| Reply { status, content_type: kind.into(), body: body.as_bytes().into() };
    let line = |seed: u8, time| witness(seed).cosign(note.text(), time, &key(seed)).expect("cosigned");
    let read = |reply: &Reply| answer::read(&witness(2), &note, reply);
    let told = |body: String| read(&reply(200, "text/plain", &body));
    let (older, newer) = (line(2, 5), line(2, 9));
    assert_eq!(told(format!("{newer}\n")), Told::Cosigned { line: newer.clone(), time: 9 });
    let several = format!("{}\n{newer}\n{older}\n", line(3, 7));
    assert_eq!(told(several), Told::Cosigned { line: newer.clone(), time: 9 });
    let mut bad = newer.clone();
    bad.signature[70] ^= 4;
    for (body, code) in [
        (format!("{}\n", line(3, 7)), "cosignature_missing"),
        (format!("{older}\n{bad}\n"), "cosignature_invalid"),
        (newer.to_string(), "cosignature_unreadable"),
        (String::new(), "cosignature_unreadable"),
        (format!("\n{newer}\n"), "cosignature_unreadable"),
        ("<html>\n".to_owned(), "cosignature_unreadable"),
    ] {
        assert_eq!(told(body), Told::Failed(code));
    }
    assert_eq!(read(&reply(409, "text/x.tlog.size", "12\n")), Told::Has(12));
    for (kind, body) in
        [("text/plain", "12\n"), ("text/x.tlog.size", "12"), ("text/x.tlog.size", "012\n"), ("text/x.tlog.size", "")]
    {
        assert_eq!(read(&reply(409, kind, body)), Told::Failed("size_unreadable"), "{kind} {body:?}");
    }
    assert_eq!(read(&reply(422, "", "")), Told::Refuses);
    for status in [100, 201, 204, 301, 400, 401, 403, 404, 413, 429, 500, 503, 599, 600] {
        assert!(matches!(read(&reply(status, "text/x.tlog.size", "12\n")), Told::Failed(_)), "{status}");
    }
}

#[test]
fn a_file_of_witnesses_is_read_as_the_policy_that_it_is() {
    let (two, three) = (witness(2), witness(3));
    let good = format!(
        "# ours\nlog {}\n\n  witness A {two} https://a.example/w/\nwitness\tB\t{three}\thttp://127.0.0.1:1\ngroup both all A B\nquorum both\n",
        log()
    );
    let read = Witnesses::parse(&good).expect("a file");
    assert_eq!(read.policy, policy(&[2, 3], 2));
    assert_eq!(read.urls, ["https://a.example/w", "http://127.0.0.1:1"]);
    assert_eq!(read.logs, [log()]);
    let quorum = |from: &str, to: &str| Witnesses::parse(&good.replacen(from, to, 1)).map(|read| read.policy.quorum());
    assert_eq!(quorum("all A B", "any A B"), Ok(1));
    assert_eq!(quorum("all A B", "2 A B"), Ok(2));
    assert_eq!(quorum("quorum both", "quorum none"), Ok(0));
    for (from, to, why) in [
        ("all A B", "0 A B", "expected any, all"),
        ("all A B", "3 A B", "expected any, all"),
        ("all A B", "all A C", "no witness C"),
        ("all A B", "all A A", "in a group already"),
        ("all A B", "all A", "not in the group"),
        ("quorum both", "quorum A", "not in the group"),
        ("quorum both", "quorum C", "no C above"),
        ("quorum both", "", "no `quorum`"),
        ("quorum both", "quorum both\nquorum both", "a quorum already"),
        ("quorum both", "group more any both\nquorum both", "groups of groups"),
        ("witness\tB", "witness\tA", "the name A is taken"),
        ("witness\tB", "witness\tnone", "the name none is taken"),
        ("\thttp://127.0.0.1:1", "", "needs its URL"),
        ("witness\tB", "wetness\tB", "`wetness`"),
        ("+", "-", "line 2"),
        ("# ours", "# ours\r", "control character"),
        (
            &three.to_string(),
            &WitnessKey::try_new("z", key(2).public_key()).expect("a name").to_string(),
            "another one",
        ),
    ] {
        let error = Witnesses::parse(&good.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.contains(why), "{to}: {error}");
    }
}

/// Two histories of a log with a beginning in common.
fn trees(common: u32, more: [u32; 2]) -> [Vec<Digest>; 2] {
    [0, 1].map(|branch| {
        let leaf =
            |n: u32| leaf_hash(&[n.to_be_bytes(), if n < common { 0 } else { branch + 1_u32 }.to_be_bytes()].concat());
        (0..common + more[branch as usize]).map(leaf).collect()
    })
}

fn rows(leaves: &[Digest], size: u64) -> MemoryRows {
    MemoryRows::of(leaves.iter().take(usize::try_from(size).expect("small")).copied())
}

/// What is asked of a witness: which history, from which size to which, and what is wrong with it.
#[derive(Debug, Clone)]
struct Ask {
    branch: usize,
    old: u64,
    size: u64,
    fault: u8,
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0_usize..2, 0_u64..24, 0_u64..24, 0_u8..12).prop_map(|(branch, old, size, fault)| Ask {
        branch,
        old,
        size,
        fault,
    });
    prop::collection::vec(ask, 1..40)
}

proptest! {
    /// The model knows the leaves: it agrees exactly when the old size is the last one, what is shown begins with what was
    /// cosigned last, the signature is good and the proof is as a log makes it.
    #[test]
    fn a_witness_cosigns_one_history_and_only_that(common in 0_u32..12, more in [1_u32..12, 1_u32..12], asks in asks(), follow in any::<bool>()) {
        let histories = trees(common, more);
        let mut latest: Option<(usize, TreeHead)> = None;
        for mut ask in asks {
            let leaves = &histories[ask.branch];
            let end = leaves.len() as u64;
            ask.size = ask.size.min(end);
            if follow {
                ask.old = latest.as_ref().map_or(0, |(_, head)| head.size);
            }
            let tree = rows(leaves, ask.size);
            let head = TreeHead { size: ask.size, root: tree.root() };
            let mut proof = prove_consistency(&tree, ask.old, ask.size).unwrap_or_default();
            let mut spoilt = false;
            match ask.fault {
                0 => { proof.push(Digest::of(b"more")); spoilt = true; }
                1 => spoilt = proof.pop().is_some(),
                2 => if let Some(first) = proof.first_mut() { *first = Digest::of(b"other"); spoilt = true; },
                _ => {}
            }
            let mut note = signed(head);
            if ask.fault == 3 {
                note = Checkpoint { origin: ORIGIN.to_owned(), head }.sign(&key(5)).expect("signed");
            }
            let submission = Submission { old: ask.old, proof, note };
            let known = latest.map(|(_, head)| head);
            let said = judge(&[log()], known.as_ref(), &submission);
            let last = known.map_or(0, |head| head.size);
            let begins = latest.as_ref().is_none_or(|(branch, head)| {
                let size = usize::try_from(head.size).expect("small");
                histories[*branch][..size] == leaves[..size.min(leaves.len())]
            });
            let expected = if ask.fault == 3 {
                Err(Refusal::NotSigned(ORIGIN.to_owned()))
            } else if ask.old > ask.size {
                Err(Refusal::Malformed("the old size is larger than the checkpoint".to_owned()))
            } else if ask.old != last || (ask.size == last && !begins) {
                Err(Refusal::Conflict(last))
            } else if spoilt || !begins {
                Err(Refusal::Inconsistent(last))
            } else {
                Ok(head)
            };
            prop_assert_eq!(said.map(|agreed| agreed.head), expected.clone(), "{:?}", ask);
            if let Ok(head) = expected {
                latest = Some((ask.branch, head));
            }
        }
    }
}

#[test]
fn a_witness_knows_its_logs_by_name_and_takes_their_extension_lines() {
    let tree = rows(&trees(5, [0, 0])[0], 5);
    let text = format!(
        "{}extension one\nextension two\n",
        Checkpoint { origin: ORIGIN.into(), head: TreeHead { size: 5, root: tree.root() } }.body()
    );
    let note = Note::sign(&text, ORIGIN, &key(1)).expect("signed");
    let submission = Submission { old: 0, proof: Vec::new(), note };
    let agreed = judge(&[log()], None, &submission).expect("agreed");
    assert_eq!((agreed.head.size, agreed.text.as_str()), (5, text.as_str()));
    let stranger = VerifierKey::try_new("another/log", key(1).public_key()).expect("a name");
    assert_eq!(judge(&[stranger], None, &submission), Err(Refusal::UnknownLog(ORIGIN.into())));
    let other = VerifierKey::try_new(ORIGIN, key(6).public_key()).expect("a name");
    assert_eq!(judge(std::slice::from_ref(&other), None, &submission), Err(Refusal::NotSigned(ORIGIN.into())));
    assert!(judge(&[other, log()], None, &submission).is_ok(), "any key of the log will do");
}
