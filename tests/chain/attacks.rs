//! Somebody with all rights over the database changes what is kept. Each way is tried; the audit names the first leaf that
//! is not as it was, and what is wrong with it.

use domain::access::Viewer;
use domain::chain::audit::{Against, AuditReport, audit_against};
use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::cosignature::WitnessKey;
use domain::chain::leaf::LeafKind;
use domain::chain::merkle::{Frontier, leaf_hash};
use domain::chain::mirror::LiveLog;
use domain::chain::policy::Policy;
use domain::chain::signer::Signer as _;
use domain::chain::statement::{Salt, Statement};
use domain::store::StoreError;
use harness::platform::{MemorySigner, ORIGIN, Platform};

use crate::support::{ALL, ALL_MEMBERS, audit_of, bytes, example, newest};

/// The whole reference export: enough leaves for full tiles.
fn whole() -> Platform {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let _ = platform.sequence();
    platform
}

/// The index of the n-th leaf of a kind.
fn index_of(platform: &Platform, kind: LeafKind, n: u32) -> u64 {
    let sql = format!("select index from chain_leaf where kind = '{kind}' order by index offset {n} limit 1");
    u64::try_from(platform.number(&sql)).expect("an index")
}

/// The codes of what is wrong with a leaf; the log as a whole where there is none.
fn codes(report: &AuditReport, index: Option<u64>) -> Vec<&'static str> {
    report.differences.iter().filter(|d| d.index == index).map(|d| d.code).collect()
}

/// Cheats, and asserts that the audit names this leaf first, with this code.
fn caught(platform: &Platform, sql: &str, index: u64, code: &str) -> AuditReport {
    assert!(audit_of(platform, &[]).holds(), "before");
    platform.tamper(sql);
    let report = audit_of(platform, &[]);
    assert_eq!(report.first_bad_index(), Some(index), "{sql}: {:?}", report.differences);
    assert!(codes(&report, Some(index)).contains(&code), "{sql}: {:?}", report.differences);
    report
}

#[test]
fn an_edited_leaf() {
    // The leaf and its hash, so that only the tree and what it commits to can tell.
    let edit = "update chain_leaf set leaf = o.leaf, leaf_sha256 = o.leaf_sha256 from chain_leaf o where o.index = 3 and chain_leaf.index = 11";
    let report = caught(&example(), edit, 11, "lane_broken");
    assert!(codes(&report, None).contains(&"root_differs"));
    let report = caught(&whole(), &edit.replace("= 11", "= 700"), 700, "hash_differs");
    assert!(codes(&report, None).contains(&"root_differs"));
}

#[test]
fn a_deleted_leaf() {
    let delete = "delete from chain_leaf where index = 9";
    let _ = caught(&example(), delete, 9, "bundle_malformed");
    let _ = caught(&whole(), &delete.replace('9', "900"), 900, "bundle_malformed");
}

#[test]
fn two_leaves_that_change_places() {
    let swap = |a: u64, b: u64| {
        format!(
            "update chain_leaf set index = -1 where index = {a}; update chain_leaf set index = {a} where index = {b};
             update chain_leaf set index = {b} where index = -1"
        )
    };
    // The rows themselves, so that each still has what it commits to: within a full tile the hashes tell.
    let _ = caught(&unchecked(whole()), &swap(300, 301), 300, "hash_differs");
    // Entries of the ledger follow one another, whatever the tree says.
    let platform = unchecked(example());
    let (first, second) =
        (index_of(&platform, LeafKind::LedgerEntry, 2), index_of(&platform, LeafKind::LedgerEntry, 3));
    let _ = caught(&platform, &swap(first, second), first, "entry_gap");
}

/// Without the check that no index is negative, which a superuser takes away.
fn unchecked(platform: Platform) -> Platform {
    platform.tamper("alter table chain_leaf drop constraint chain_leaf_index_check");
    platform
}

#[test]
fn an_edited_tile() {
    let edit = "update chain_tile set hashes = set_byte(hashes, 40 * 32, (get_byte(hashes, 40 * 32) + 1) % 256) where level = 0 and n = 2";
    let report = caught(&whole(), edit, 2 * 256 + 40, "hash_differs");
    assert_eq!(codes(&report, None), Vec::<&str>::new(), "the leaves still give the root that was signed");
}

#[test]
fn an_envelope_that_is_replaced_by_another_validly_signed_one() {
    let platform = example();
    let index = index_of(&platform, LeafKind::Seal, 2);
    let source = platform.ids_of(&format!("select source_id as id from chain_leaf where index = {index}"))[0];
    // Signed by the platform's own stolen key: the same words under another salt.
    let envelope = bytes(&platform, &format!("select secret from chain_secret where source_id = '{source}'"));
    let (_, statement) = Statement::parse(std::str::from_utf8(&envelope).expect("text")).expect("a seal");
    let Statement::Seal(mut seal) = statement else { panic!("a seal") };
    seal.salt = Salt([5; 32]);
    let forged = Statement::Seal(seal).sign(&platform.signer).expect("an envelope");
    let replace =
        format!("update chain_secret set secret = convert_to('{forged}', 'UTF8') where source_id = '{source}'");
    let _ = caught(&platform, &replace, index, "commitment_mismatch");
    // And one that was signed and logged, of another handshake.
    let platform = example();
    let (index, other) = (index_of(&platform, LeafKind::Offer, 1), index_of(&platform, LeafKind::Offer, 4));
    let replace = format!(
        "update chain_secret s set secret = o.secret from chain_secret o, chain_leaf l, chain_leaf m
         where l.index = {index} and s.source_id = l.source_id and m.index = {other} and o.source_id = m.source_id"
    );
    let _ = caught(&platform, &replace, index, "commitment_mismatch");
}

#[test]
fn an_envelope_that_is_gone_without_an_erasure_or_with_one_that_nobody_signed() {
    let platform = example();
    let index = index_of(&platform, LeafKind::Accept, 3);
    let of = format!("(select source_id from chain_leaf where index = {index})");
    let _ = caught(&platform, &format!("delete from chain_secret where source_id = {of}"), index, "envelope_missing");
    // Rows that say it was erased do not make it so.
    let platform = example();
    let claim = format!(
        "delete from chain_secret where source_id = {of};
         insert into chain_erasure (id, contact_id, leaf_count, commitments_sha256, report, erased_by, erased_at)
           select '01990000-0000-7000-8000-00000000ffff', client_id, 1, sha256(''), '{{}}', id, now() from deal limit 1;
         insert into chain_erased values ({of}, '01990000-0000-7000-8000-00000000ffff')"
    );
    let _ = caught(&platform, &claim, index, "envelope_missing");
}

#[test]
fn an_edited_row_of_the_ledger() {
    let platform = example();
    let index = index_of(&platform, LeafKind::LedgerEntry, 4);
    let edited = "convert_to(replace(convert_from(canonical, 'UTF8'), '\"amount\":\"', '\"amount\":\"1'), 'UTF8')";
    let edit = format!(
        "update ledger_entry set canonical = {edited}, sha256 = sha256({edited})
         where id = (select source_id from chain_leaf where index = {index})"
    );
    let _ = caught(&platform, &edit, index, "entry_differs");
}

#[test]
fn a_row_of_the_ledger_without_a_leaf_and_a_leaf_without_a_row() {
    let platform = example();
    let add = "insert into ledger_entry (seq, id, kind, deal_id, payee_id, source_id, effective_on, recorded_at, canonical, sha256, previous_sha256, visible_to)
      select seq + 1, gen_random_uuid(), kind, deal_id, payee_id, source_id, effective_on, recorded_at, canonical, sha256, previous_sha256, visible_to
      from ledger_entry order by seq desc limit 1";
    platform.tamper(add);
    let report = audit_of(&platform, &[]);
    assert_eq!(codes(&report, None), ["entry_without_leaf"], "{:?}", report.differences);
    assert_eq!(report.difference_count, 1);

    let platform = example();
    let index = index_of(&platform, LeafKind::LedgerEntry, 6);
    let delete =
        format!("delete from ledger_entry where id = (select source_id from chain_leaf where index = {index})");
    let report = caught(&platform, &delete, index, "entry_missing");
    assert_eq!(report.difference_count, 1, "{:?}", report.differences);
}

#[test]
fn the_newest_ten_leaves_cut_off_with_the_logs_key_in_hand() {
    let platform = example();
    let kept = newest(&platform);
    let size = kept.head.size - 10;
    // Everything that the rows of the ten leave behind goes too, so that nothing in the database tells of them.
    let of = format!("select source_id from chain_leaf where index >= {size}");
    let mut frontier = Frontier::new();
    for index in 0..size {
        let leaf = bytes(&platform, &format!("select leaf from chain_leaf where index = {index}"));
        frontier.append(leaf_hash(&leaf), |_| ());
    }
    let head = TreeHead { size, root: frontier.root() };
    let note = Checkpoint { origin: ORIGIN.to_owned(), head }.sign(&platform.log_signer).expect("a note").to_string();
    let root = head.root.to_string();
    platform.tamper(&format!(
        "delete from chain_secret where source_id in ({of}); delete from ledger_entry where id in ({of});
         delete from chain_leaf where index >= {size}; delete from chain_checkpoint_note; delete from chain_checkpoint;
         update chain_head set size = {size}, root = decode('{root}', 'hex');
         insert into chain_checkpoint (size, root, body, created_at) values ({size}, decode('{root}', 'hex'), '', now());
         insert into chain_checkpoint_note (size, note) values ({size}, convert_to('{note}', 'UTF8'));
         update chain_published set size = {size}"
    ));
    assert!(audit_of(&platform, &[]).holds(), "by itself the shorter log is as good as any");
    let report = audit_of(&platform, std::slice::from_ref(&kept));
    assert_eq!(report.first_bad_index(), Some(size));
    assert_eq!(codes(&report, Some(size)), ["truncated"]);
    // A checkpoint from before those ten says nothing of them, and holds.
    let earlier = Checkpoint { origin: ORIGIN.to_owned(), head };
    assert!(audit_of(&platform, &[earlier]).holds());
    // The signer would not have signed it: its own memory is a kept checkpoint.
    assert_eq!(platform.log_signer.kid(), platform.trust().log().key().kid());
    let guarded = domain::chain::sequence::Sequencer::new(ORIGIN, &platform.log_signer, &platform.high_water);
    let refused = guarded.confirm(platform.store()).expect_err("rolled back").to_string();
    assert!(refused.contains("rolled back"), "{refused}");
}

#[test]
fn a_checkpoint_without_the_cosignatures_that_are_asked_for() {
    let platform = example();
    let witness = WitnessKey::try_new("witness.test", MemorySigner::new(61).public_key()).expect("a key");
    let found = |quorum: usize| {
        let policy = Policy::try_new(vec![witness.clone()], quorum).expect("a policy");
        let report = platform.store().read_snapshot(&Viewer::Everything, |queries| {
            audit_against(
                platform.trust().log(),
                &LiveLog::new(queries.chain()),
                Against { witnesses: Some(&policy), ..Against::default() },
                &mut |_, _| (),
            )
            .map_err(|error| StoreError::Failed(error.to_string()))
        });
        codes(&report.expect("the log can be read"), None)
    };
    assert_eq!(found(0), [""; 0]);
    assert_eq!(found(1), ["quorum_not_met"]);
}
