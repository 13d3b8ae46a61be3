//! History rewritten by somebody who has stolen the log's key and the platform's: everything is signed again and hangs
//! together. What others hold tells: an old receipt, a kept checkpoint, what partners say to have seen.

use std::collections::BTreeMap;

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::declaration::declare;
use domain::chain::export::Line;
use domain::chain::leaf::{Leaf, LeafKind, commitment};
use domain::chain::merkle::{MemoryRows, leaf_hash};
use domain::chain::mirror::{CHECKPOINT, LogFiles, tiles_of};
use domain::chain::proof;
use domain::chain::registration::register;
use domain::chain::signer::{PortError, Signer as _};
use domain::chain::statement::{self, Declared, Erasure, ImportDeclaration, PartyId, Salt, Statement, VERSION};
use domain::chain::tile::{self, TileKind};
use domain::chain::verify::verify;
use domain::env::Env;
use domain::kernel::Digest;
use harness::platform::{MemorySigner, ORIGIN, Platform};
use harness::server::Service;
use harness::signing::registration;

use crate::handshakes::partner;
use crate::support::{EXAMPLE, MEMBERS, audited, exported, lines, newest, receipts};

/// A log in memory.
struct Memory(BTreeMap<String, Vec<u8>>);

impl LogFiles for Memory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.0.get(path).cloned())
    }
}

/// The files of a log of these leaves, signed with the log's key, and the rows of its tree.
fn files(platform: &Platform, leaves: &[Vec<u8>]) -> (Memory, MemoryRows, Checkpoint) {
    let rows = MemoryRows::of(leaves.iter().map(|leaf| leaf_hash(leaf)));
    let head = TreeHead { size: rows.size(), root: rows.root() };
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), head };
    let mut files = BTreeMap::new();
    for tile in tiles_of(head.size) {
        let range = tile.range();
        let within = usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small");
        let bytes = match tile.kind() {
            TileKind::Entries => tile::bundle(leaves[within].iter().map(Vec::as_slice)).expect("a bundle"),
            TileKind::Hashes(row) => tile::read(&rows, row, tile).expect("a tile"),
        };
        let _ = files.insert(tile.path(), bytes);
    }
    let note = checkpoint.sign(&platform.log_signer).expect("a note").to_string();
    let _ = files.insert(CHECKPOINT.to_owned(), note.into_bytes());
    (Memory(files), rows, checkpoint)
}

/// An export with the seal of one handshake rewritten: another salt stands for any other words.
fn rewritten(platform: &Platform, export: &[u8]) -> (Vec<Vec<u8>>, Vec<Line>, u64) {
    let other_salt = |statement: Statement| {
        let Statement::Seal(mut seal) = statement else { panic!("a seal") };
        seal.salt = Salt([6; 32]);
        Statement::Seal(seal).sign(&platform.signer).expect("an envelope")
    };
    resigned(export, |kind, index| kind == LeafKind::Seal && index > 5, &other_salt)
}

/// An export with one statement signed anew. Its lane is linked anew, so that nothing but the hashes differs. Gives the
/// leaves, the lines and the index of the statement.
fn resigned(
    export: &[u8],
    chosen: impl Fn(LeafKind, u64) -> bool,
    sign: &dyn Fn(Statement) -> String,
) -> (Vec<Vec<u8>>, Vec<Line>, u64) {
    let mut lines = lines(export);
    let mut heads: BTreeMap<Digest, Digest> = BTreeMap::new();
    let (mut leaves, mut target) = (Vec::new(), None);
    for line in &mut lines {
        let Line::Leaf { envelope: Some(envelope), index, leaf, .. } = line else { continue };
        let mut parsed = Leaf::parse(leaf.as_bytes()).expect("a leaf");
        if target.is_none() && chosen(parsed.kind, *index) {
            let (_, statement) = Statement::parse(envelope).expect("a statement");
            *envelope = sign(statement);
            target = Some(*index);
        }
        parsed.commitment = commitment(envelope.as_bytes());
        if let Some(previous) = heads.get(&parsed.lane) {
            parsed.previous = *previous;
        }
        let _ = heads.insert(parsed.lane, parsed.hash());
        *leaf = String::from_utf8(parsed.to_bytes()).expect("text");
        leaves.push(leaf.clone().into_bytes());
    }
    (leaves, lines, target.expect("the statement"))
}

/// The lines as a file, under another checkpoint.
fn written(lines: &[Line], note: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let line = match line.clone() {
            Line::Head { log, size, r#type, v, .. } => {
                Line::Head { checkpoint: String::from_utf8(note.to_vec()).expect("text"), log, size, r#type, v }
            }
            other => other,
        };
        serde_json::to_writer(&mut bytes, &line).expect("a line");
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn what_others_hold_tells_of_a_history_that_was_rewritten_with_stolen_keys() {
    let service = Service::start();
    let platform = &service.platform;
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    service.sequence();
    let kept = newest(platform);
    let receipt = receipts(platform).remove(1).expect("a receipt");
    let (leaves, lines, target) = rewritten(platform, &exported(platform));
    let (files, rows, forged) = files(platform, &leaves);
    let export = written(&lines, &files.0[CHECKPOINT]);

    // By itself the other history is as good as the true one.
    let alone = audited(platform, &files, Some(&export), &[]).expect("it is read");
    assert!(alone.holds(), "{:?}", alone.differences);
    assert_eq!(alone.envelopes, kept.head.size);
    // A checkpoint that anybody kept tells, and names how far they agree at least.
    let report = audited(platform, &files, Some(&export), std::slice::from_ref(&kept)).expect("it is read");
    let told: Vec<_> = report.differences.iter().map(|d| (d.index, d.code)).collect();
    assert_eq!(told, [(Some(0), "rewritten")]);
    let before = TreeHead { size: target, root: proof::root(&rows, target).expect("a root") };
    let early = Checkpoint { origin: ORIGIN.to_owned(), head: before };
    let report = audited(platform, &files, Some(&export), &[kept.clone(), early]).expect("it is read");
    assert_eq!(report.first_bad_index(), Some(target), "{:?}", report.differences);
    // No proof leads from what was kept to the forged log, of the same size or a larger one.
    let mut longer = leaves.clone();
    longer.push(leaves[0].clone());
    let grown = MemoryRows::of(longer.iter().map(|leaf| leaf_hash(leaf)));
    for (rows, root) in [(&rows, forged.head.root), (&grown, grown.root())] {
        let path = proof::prove_consistency(rows, kept.head.size, rows.size()).expect("a path");
        let checked = proof::check_consistency((kept.head.size, &kept.head.root), (rows.size(), &root), &path);
        assert!(checked.is_err());
    }
    // An old receipt proves the old history to whoever holds it; under the forged checkpoint it proves nothing.
    let trust = platform.trust();
    assert!(verify(&trust, &receipt).holds());
    let mut moved = receipt.clone();
    moved.checkpoint = String::from_utf8(files.0[CHECKPOINT].clone()).expect("text");
    assert!(verify(&trust, &moved).faults.0.iter().any(|fault| fault.code == "not_included"));
}

/// The example; then a partner registers a key and signs a declaration with it, saying what it has seen.
fn declared() -> (Service, TreeHead) {
    let service = Service::start();
    let platform = &service.platform;
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    service.sequence();
    let seen = newest(platform).head;
    let (party, key) = (PartyId::organisation(platform.provider), MemorySigner::new(31));
    let actor = partner(platform.provider);
    let env = Env { actor: &actor, seen, ..platform.env() };
    let registered = registration(party.clone(), &key, ORIGIN);
    let kept = platform.store().transaction(|uow| register(uow, &env, &registered)).expect("a key");
    assert!(kept.new);
    let words = Declared { declared: true, text_sha256: None };
    let declaration = Statement::ImportDeclaration(ImportDeclaration {
        consent: words.clone(),
        disclosure: words,
        file_sha256: Digest::of(b"a file"),
        import: None,
        kid: key.kid(),
        log: ORIGIN.to_owned(),
        organisation: party,
        salt: Salt([9; 32]),
        seen,
        v: VERSION,
    });
    let declaration = declaration.sign(&key).expect("an envelope");
    let _ = platform.store().transaction(|uow| declare(uow, &env, &declaration)).expect("a declaration");
    service.sequence();
    (service, seen)
}

#[test]
fn the_platform_cannot_declare_for_an_organisation() {
    let (service, _) = declared();
    let platform = &service.platform;
    let as_platform = |statement: Statement| {
        let Statement::ImportDeclaration(mut said) = statement else { panic!("a declaration") };
        said.kid = platform.signer.kid();
        Statement::ImportDeclaration(said).sign(&platform.signer).expect("an envelope")
    };
    let (leaves, lines, target) =
        resigned(&exported(platform), |kind, _| kind == LeafKind::ImportDeclaration, &as_platform);
    let (files, _, _) = files(platform, &leaves);
    let report = audited(platform, &files, Some(&written(&lines, &files.0[CHECKPOINT])), &[]).expect("it is read");
    let told: Vec<_> = report.differences.iter().map(|d| (d.index, d.code)).collect();
    assert_eq!(told, [(Some(target), "unknown_key")], "{:?}", report.differences);
}

/// The differences of an audit of an export in which one statement was signed anew.
fn told(
    platform: &Platform,
    kind: LeafKind,
    sign: &dyn Fn(Statement) -> String,
) -> (Vec<(Option<u64>, &'static str)>, u64) {
    let chosen = |found: LeafKind, index: u64| found == kind && (index > 5 || kind == LeafKind::ImportDeclaration);
    let (leaves, lines, target) = resigned(&exported(platform), chosen, sign);
    let (files, _, _) = files(platform, &leaves);
    let report = audited(platform, &files, Some(&written(&lines, &files.0[CHECKPOINT])), &[]).expect("it is read");
    (report.differences.iter().map(|d| (d.index, d.code)).collect(), target)
}

#[test]
fn statements_of_one_handshake_that_do_not_name_each_other_are_told() {
    let service = Service::start();
    let platform = &service.platform;
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    service.sequence();
    let own = |statement: Statement| statement.sign(&platform.signer).expect("an envelope");
    let other = Digest::of(b"another");
    // Signed by the right key, of the right form: only the digests of the one before tell.
    let (found, offer) = told(platform, LeafKind::Offer, &|statement| {
        let Statement::Offer(mut offer) = statement else { panic!("an offer") };
        offer.salt = Salt([6; 32]);
        own(Statement::Offer(offer))
    });
    let codes: Vec<_> = found.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, ["digest_mismatch"; 2], "the accept and the seal are of another offer: {found:?}");
    assert!(found.iter().all(|(index, _)| *index > Some(offer)));
    let (found, accept) = told(platform, LeafKind::Accept, &|statement| {
        let Statement::Accept(mut accept) = statement else { panic!("an accept") };
        accept.offer_sha256 = other;
        own(Statement::Accept(accept))
    });
    assert_eq!(found[0], (Some(accept), "digest_mismatch"));
    assert!(found.len() == 2 && found[1].1 == "digest_mismatch", "and the seal is of another accept: {found:?}");
    type Bend = fn(&mut statement::Seal);
    let bends: [(&str, Bend); 5] = [
        ("digest_mismatch", |seal| seal.offer_sha256 = Digest::of(b"another")),
        ("digest_mismatch", |seal| seal.accept_sha256 = Digest::of(b"another")),
        ("assurance_overstated", |seal| (seal.assurance, seal.declaration) = (statement::Assurance::Own, None)),
        ("declaration_misplaced", |seal| seal.declaration = None),
        ("digest_mismatch", |seal| seal.declaration = Some(Digest::of(b"another"))),
    ];
    for (code, bend) in bends {
        let (found, target) = told(platform, LeafKind::Seal, &|statement| {
            let Statement::Seal(mut seal) = statement else { panic!("a seal") };
            bend(&mut seal);
            own(Statement::Seal(seal))
        });
        assert!(found.contains(&(Some(target), code)), "{code}: {found:?}");
        assert!(found.iter().all(|(index, _)| *index == Some(target)), "{found:?}");
    }
    let (found, target) = told(platform, LeafKind::Accept, &|statement| {
        let Statement::Accept(mut accept) = statement else { panic!("an accept") };
        accept.party = PartyId::organisation(platform.introducer);
        own(Statement::Accept(accept))
    });
    assert!(found.contains(&(Some(target), "other_party")), "{found:?}");
}

/// An export in which the first leaf of a kind is gone, and an erasure that the platform signed says so. Gives the index.
fn hidden(platform: &Platform, export: &[u8], kind: LeafKind) -> (Vec<Line>, u64) {
    let mut lines = lines(export);
    let mut gone = None;
    for line in &mut lines {
        let Line::Leaf { envelope, erased, index, leaf, .. } = line else { continue };
        let parsed = Leaf::parse(leaf.as_bytes()).expect("a leaf");
        if gone.is_none() && parsed.kind == kind {
            (*envelope, *erased) = (None, true);
            gone = Some((*index, parsed.commitment));
        }
    }
    let (index, commitment) = gone.expect("a leaf of the kind");
    let erasure = Statement::Erasure(Erasure {
        commitments_sha256: statement::erasure::digest_of(&[commitment]),
        kid: platform.signer.kid(),
        leaves: 1,
        log: ORIGIN.to_owned(),
        salt: Salt([5; 32]),
        seen: newest(platform).head,
        v: VERSION,
    });
    let envelope = erasure.sign(&platform.signer).expect("an envelope");
    let end = lines.pop().expect("the end");
    lines.extend([Line::Erasure { commitments: vec![commitment], envelope, erases: vec![index] }, end]);
    (lines, index)
}

#[test]
fn an_erasure_hides_signed_words_of_a_deal_and_nothing_else() {
    let (service, _) = declared();
    let platform = &service.platform;
    let export = exported(platform);
    let (files, _, _) = files(platform, &true_leaves(&export));
    for (kind, hides) in [
        (LeafKind::Offer, true),
        (LeafKind::Accept, true),
        (LeafKind::Seal, true),
        (LeafKind::KeyRegistration, false),
        (LeafKind::ImportDeclaration, false),
        (LeafKind::LedgerEntry, false),
    ] {
        let (lines, index) = hidden(platform, &export, kind);
        let report = audited(platform, &files, Some(&written(&lines, &files.0[CHECKPOINT])), &[]).expect("it is read");
        assert_eq!(report.holds(), hides, "{kind}: {:?}", report.differences);
        assert_eq!(report.first_bad_index(), (!hides).then_some(index), "{kind}");
    }
}

#[test]
fn what_signers_have_seen_tells_without_any_checkpoint_from_elsewhere() {
    let (service, seen) = declared();
    let platform = &service.platform;
    let true_export = exported(platform);
    let (leaves, lines, target) = rewritten(platform, &true_export);
    assert!(target < seen.size);
    let (files, _, _) = files(platform, &leaves);
    let export = written(&lines, &files.0[CHECKPOINT]);
    let report = audited(platform, &files, Some(&export), &[]).expect("it is read");
    let told: Vec<_> = report.differences.iter().map(|d| (d.index, d.code)).collect();
    assert_eq!(told, [(Some(seen.size + 1), "seen_differs")], "{:?}", report.differences);
    // The true history has what was seen.
    let (leaves, note) = (true_leaves(&true_export), newest(platform));
    let (true_files, _, checkpoint) = self::files(platform, &leaves);
    assert_eq!(checkpoint, note);
    assert!(audited(platform, &true_files, Some(&true_export), &[note]).expect("it is read").holds());
}

fn true_leaves(export: &[u8]) -> Vec<Vec<u8>> {
    let leaf = |line: Line| match line {
        Line::Leaf { leaf, .. } => Some(leaf.into_bytes()),
        _ => None,
    };
    lines(export).into_iter().filter_map(leaf).collect()
}
