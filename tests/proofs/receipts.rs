//! Receipts out of the store: they hold, offline; nobody gets a foreign one; nothing unsigned is given.

use domain::access::{Actor, MissingScope, Role, Scope};
use domain::chain::receipt::Receipt;
use domain::chain::receipts::{self, FindReceiptsError, Wanted, Withheld};
use domain::chain::statement::Assurance;
use domain::chain::verify::verify;
use domain::kernel::ids::{EntryId, HandshakeId, OrganisationId};
use harness::platform::Platform;
use uuid::Uuid;

use crate::support::{ALL, ALL_MEMBERS, EXAMPLE, MEMBERS, example, receipts as all, wanted};

fn partner(organisation: OrganisationId) -> Actor {
    Actor {
        id: Uuid::from_u128(77),
        roles: [Role::PartnerAdmin].into(),
        scopes: Role::PartnerAdmin.scopes().iter().copied().collect(),
        organisation: Some(organisation),
        member: None,
    }
}

#[test]
fn every_handshake_and_entry_has_a_receipt_that_holds() {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let head = platform.sequence();
    let trust = platform.trust();
    let found = all(&platform);
    assert!(found.len() > 1_900, "{}", found.len());
    for receipt in &found {
        let bytes = receipt.to_bytes().expect("bytes");
        let findings = verify(&trust, &Receipt::parse(&bytes).expect("a receipt"));
        assert!(findings.holds(), "{}: {:?}", receipt.id, findings.faults);
        assert_eq!(findings.checkpoint, Some(head));
        if receipt.items.len() == 3 {
            assert_eq!(findings.assurance, Some(Assurance::Attested));
            assert!(findings.not_proved.iter().any(|n| n.contains("imported")), "attested is said to be so");
        }
    }
}

#[test]
fn only_who_may_see_the_deal_gets_its_receipt() {
    let platform = example();
    let wanted = wanted(&platform);
    let count = |actor: &Actor| {
        let found = receipts::find(platform.store(), actor, &wanted).expect("an answer");
        assert!(found.iter().all(|r| r.is_ok() || matches!(r, Err(Withheld::NotFound))));
        found.into_iter().filter(Result::is_ok).count()
    };
    assert_eq!(count(&partner(platform.introducer)), wanted.len());
    assert_eq!(count(&partner(OrganisationId::new(Uuid::from_u128(99)))), 0);
    let mut nobody = partner(platform.introducer);
    nobody.scopes.clear();
    let refused = receipts::find(platform.store(), &nobody, &wanted).map(|_| ()).expect_err("no scope");
    assert_eq!(refused, FindReceiptsError::Scope(MissingScope(Scope::ChainRead)));
}

#[test]
fn what_is_not_signed_for_or_gone_is_withheld() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    let one = |wanted| {
        let mut found = receipts::find(platform.store(), &platform.actor, &[wanted]).expect("an answer");
        found.pop().expect("one outcome").map(|receipt| receipt.id)
    };
    let all = wanted(&platform);
    let (first, last) = (all[0], all[all.len() - 1]);
    assert_eq!((one(first), one(last)), (Err(Withheld::Pending), Err(Withheld::Pending)));
    let _ = platform.sequence();
    assert!(one(first).is_ok() && one(last).is_ok());
    assert_eq!(one(Wanted::Handshake(HandshakeId::new(Uuid::from_u128(5)))), Err(Withheld::NotFound));
    assert_eq!(one(Wanted::LedgerEntry(EntryId::new(Uuid::from_u128(5)))), Err(Withheld::NotFound));
    platform.tamper(
        "delete from chain_secret where source_id in (select id from handshake_statement where kind = 'accept')",
    );
    assert_eq!(one(first), Err(Withheld::Damaged), "nobody signed for an erasure");
}

#[test]
fn a_receipt_stays_good_while_the_log_grows_and_an_old_one_has_an_old_checkpoint() {
    let platform = example();
    let before = all(&platform);
    let header = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
    let _ = platform.import(
        format!("{header}\nNEW-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,1000.00,0.00,\n").as_bytes(),
    );
    let head = platform.sequence();
    let trust = platform.trust();
    for receipt in &before {
        let findings = verify(&trust, receipt);
        assert!(findings.holds());
        assert!(findings.checkpoint.is_some_and(|old| old.size < head.size));
    }
    // An old checkpoint cannot vouch for a newer leaf.
    let mut newest = all(&platform).pop().expect("a receipt");
    newest.checkpoint.clone_from(&before[0].checkpoint);
    assert!(verify(&trust, &newest).faults.0.iter().any(|fault| fault.code == "leaf_after_checkpoint"));
}
