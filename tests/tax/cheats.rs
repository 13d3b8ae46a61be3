//! Somebody with all rights over the database changes papers and what the log holds of them: the guarantee of integrity
//! names the very paper, and the audit of the export the very leaf.

use domain::chain::signer::Signer as _;
use domain::guarantees::Guarantee;
use domain::guarantees::run::{RunLabel, examine};
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::GuaranteeRunId;
use harness::platform::Platform;

use crate::chain::audit_of;
use crate::runs::{papers, register, with_deals};
use crate::world::{keep, paid, people};

/// What the guarantee of integrity names: of what and by which code.
pub fn integrity(platform: &Platform) -> Vec<(String, String)> {
    let label =
        RunLabel { id: GuaranteeRunId::new(platform.ids.next()), kid: platform.signer.kid(), taken_at: platform.now };
    let report = examine(platform.store(), &platform.trust(), &label, &mut |_| ()).expect("the store answers");
    let of = report.guarantees.into_iter().find(|result| result.guarantee == Guarantee::Integrity).expect("a result");
    of.counterexamples.into_iter().map(|found| (found.id, found.code)).collect()
}

/// Three papers, logged and signed: the invoice of M016 is one of them.
fn signed() -> Platform {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let _ = paid(&platform, &people, &account);
    let _ = platform.sequence();
    assert!(papers(&platform).len() >= 3);
    platform
}

const SECOND: &str = "(select id from tax_document where seq = 2)";

#[test]
fn the_guarantee_names_the_paper_that_is_not_what_was_logged() {
    let changed =
        "set envelope = convert_to(replace(convert_from(envelope, 'UTF8'), '\"seq\":2', '\"seq\":3'), 'UTF8')";
    for (code, cheat) in [
        ("paper_differs_from_statement", "update tax_document set content_sha256 = sha256('another') where seq = 2".to_owned()),
        ("paper_differs_from_statement", "update tax_document set number = 'RCTI-FY27-999999' where seq = 2".to_owned()),
        // Statement and row agree again: the leaf does not.
        (
            "paper_differs_from_statement",
            format!(
                "update tax_document_envelope {changed} where document_id = {SECOND}; alter table tax_document drop constraint tax_document_pkey;
                 update tax_document set seq = seq + 1 where seq >= 2"
            ),
        ),
        ("leaf_without_row", format!("delete from tax_document_envelope where document_id = {SECOND}")),
        ("paper_not_logged_once", format!("update chain_leaf set source_id = gen_random_uuid() where source_id = {SECOND}")),
        // A paper that never had a leaf, slipped in where all are logged.
        (
            "paper_not_logged_once",
            format!(
                "delete from tax_document_envelope where document_id = {SECOND};
                 update chain_leaf set source_id = gen_random_uuid() where source_id = {SECOND}"
            ),
        ),
    ] {
        let platform = signed();
        let second = papers(&platform)[1].0.id;
        platform.tamper(&cheat);
        let found = integrity(&platform);
        let named = |id: &str| found.iter().any(|(of, by)| of == id && by == code);
        let as_source = format!("source_{}", domain::kernel::id::encode(second.uuid()));
        assert!(named(&second.to_string()) || named(&as_source), "{code}: {cheat}: {found:?}");
    }
}

#[test]
fn the_audit_of_the_export_names_the_leaf_of_the_paper() {
    let platform = signed();
    let index = platform.number(&format!("select index from chain_leaf where source_id = {SECOND}"));
    let index = u64::try_from(index).expect("an index");
    let audit = audit_of(&platform, &[]);
    assert!(audit.holds(), "{:?}", audit.differences);
    for (code, cheat) in [
        (
            "commitment_mismatch",
            format!(
                "update tax_document_envelope set envelope = convert_to(regexp_replace(convert_from(envelope, 'UTF8'), '\"content_sha256\":\"..', '\"content_sha256\":\"00'), 'UTF8')
                 where document_id = {SECOND}"
            ),
        ),
        ("envelope_missing", format!("delete from tax_document_envelope where document_id = {SECOND}")),
    ] {
        let platform = signed();
        platform.tamper(&cheat);
        let audit = audit_of(&platform, &[]);
        let found: Vec<_> = audit.differences.iter().map(|d| (d.index, d.code)).collect();
        assert_eq!(found, [(Some(index), code)], "one difference, and nothing after it is blamed");
    }
}
