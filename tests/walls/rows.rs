//! Row-level security: whoever's eyes the reader has, of no table does it see a row of another partner.

use std::collections::BTreeMap;

use domain::kernel::id::decode;
use harness::partners::{Partner, Site};
use uuid::Uuid;

use crate::eyes::{Eyes, lines, readable};

/// Tables that everybody whom a scope lets in may read from end to end, and why. Every other table that the reader
/// may read has row-level security. The names of leaves' sources lead nowhere without the rows that they name.
const FOR_EVERYBODY: &[(&str, &str)] = &[
    ("chain_checkpoint", "the log is public"),
    ("chain_checkpoint_note", "the log is public"),
    ("chain_cosignature", "the log is public, and so is who cosigned it"),
    ("chain_evidence", "what speaks against the log is for whoever relies on it"),
    ("chain_head", "the log is public"),
    ("chain_leaf", "the log is public: leaves commit under a salt and name nobody"),
    ("chain_published", "one number"),
    ("chain_tile", "the log is public"),
    ("event_head", "one number"),
    ("guarantee_run", "figures that name nobody"),
    ("ledger_head", "one number, one hash and one date"),
    ("product", "reference data"),
    ("vertical", "reference data"),
];

/// Guarded tables of which everybody whom a scope lets in reads some rows: what is in force and made for nobody.
const FOR_EVERYBODY_IN_PART: [&str; 6] = [
    "agreement",
    "agreement_version",
    "agreement_version_table",
    "chain_secret",
    "lookup_table",
    "lookup_table_version",
];

/// What to look for: a partner's ids as the database and as documents write them, and what only its people say.
fn words(partner: &Partner) -> Vec<String> {
    let both = |suffix: &String| [suffix.clone(), decode(suffix).expect("an id").to_string()];
    partner.own.iter().flat_map(both).chain(["Secret".to_owned()]).collect()
}

/// Rows of each table that tell of the second partner.
fn told(site: &Site, parties: Option<&[Uuid]>) -> BTreeMap<String, usize> {
    let words = words(&site.theirs);
    let mut eyes = Eyes::of(&site.service.platform, parties);
    let public = |table: &String| FOR_EVERYBODY.iter().any(|(listed, _)| listed == table);
    let tables = readable(&site.service.platform).into_iter().filter(|table| !public(table));
    let telling = |row: &String| words.iter().any(|word| row.contains(word.as_str()));
    let found = tables.map(|table| {
        let rows = eyes.rows(&table).iter().filter(|row| telling(row)).count();
        (table, rows)
    });
    found.filter(|(_, rows)| *rows > 0).collect()
}

#[test]
fn nobody_reads_a_row_of_another_partner() {
    let site = Site::open();
    let told_to_staff = told(&site, None);
    assert!(told_to_staff.len() > 25, "what is looked for is there to be found: {told_to_staff:?}");
    let ours = &site.ours;
    let viewers: [(&str, Vec<Uuid>); 5] = [
        ("the introducer", vec![ours.introducer.uuid()]),
        ("the provider", vec![ours.provider.uuid()]),
        ("the member", vec![ours.member.uuid()]),
        ("somebody of no partner", vec![Uuid::from_u128(7)]),
        ("an investor", vec![]),
    ];
    for (who, parties) in viewers {
        assert_eq!(told(&site, Some(&parties)), BTreeMap::new(), "{who} reads of another partner");
    }
}

#[test]
fn what_is_for_everybody_tells_of_nobody() {
    let site = Site::open();
    let words = words(&site.theirs);
    let mut eyes = Eyes::of(&site.service.platform, Some(&[]));
    for (table, _) in FOR_EVERYBODY.iter().filter(|(table, _)| *table != "chain_leaf") {
        let rows = eyes.rows(table);
        assert!(!rows.iter().any(|row| words.iter().any(|word| row.contains(word.as_str()))), "{table}: {rows:?}");
    }
    let leaves = "select encode(leaf, 'escape') as line from chain_leaf";
    let leaves = lines(&mut site.service.platform.owner(), leaves);
    assert!(leaves.len() > 20);
    assert!(!leaves.iter().any(|leaf| words.iter().any(|word| leaf.contains(word.as_str()))), "{leaves:?}");
}

#[test]
fn who_is_no_party_reads_reference_data_and_nothing_else() {
    let site = Site::open();
    let mut eyes = Eyes::of(&site.service.platform, Some(&[]));
    let open = |table: &String| {
        FOR_EVERYBODY.iter().any(|(listed, _)| listed == table) || FOR_EVERYBODY_IN_PART.contains(&table.as_str())
    };
    for table in readable(&site.service.platform).into_iter().filter(|table| !open(table)) {
        assert_eq!(eyes.rows(&table), Vec::<String>::new(), "{table}");
    }
}

#[test]
fn of_what_leaves_commit_to_everybody_reads_the_approvals_of_versions_in_force() {
    let site = Site::open();
    let platform = &site.service.platform;
    let approvals = lines(
        &mut platform.owner(),
        "select v.approval_id::text as line from agreement_version v join agreement a on a.id = v.agreement_id
         where v.approval_id is not null and v.activated_at is not null and a.provider_id is null order by 1",
    );
    assert!(!approvals.is_empty());
    for parties in [vec![], vec![Uuid::from_u128(7)]] {
        let rows = Eyes::of(platform, Some(&parties)).rows("chain_secret");
        let mut sources: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
        sources.sort_unstable();
        assert_eq!(sources, approvals);
        assert!(rows.iter().all(|row| row.split(' ').nth(2) == Some("envelope")), "no lane's secret: {rows:?}");
    }
}

#[test]
fn every_table_that_is_read_is_guarded_or_for_everybody() {
    let site = Site::open();
    let platform = &site.service.platform;
    let open = lines(
        &mut platform.owner(),
        "select relname::text as line from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
         and has_any_column_privilege('flip360_reader', oid, 'select')
         and not (relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd = 'r' and 'flip360_reader'::regrole = any (p.polroles)))
         order by 1",
    );
    let listed: Vec<&str> = FOR_EVERYBODY.iter().map(|(table, _)| *table).collect();
    assert_eq!(open, listed);
}

#[test]
fn a_partner_does_read_what_is_its_own() {
    let site = Site::open();
    let mut eyes = Eyes::of(&site.service.platform, Some(&[site.theirs.introducer.uuid()]));
    for table in [
        "deal",
        "deal_fact",
        "commission_line",
        "ledger_entry",
        "ledger_posting",
        "payout",
        "payee",
        "stripe_account",
        "member",
        "contact",
        "handshake",
        "signing_key",
        "event",
        "webhook_endpoint",
        "webhook_delivery",
        "deal_import",
        "job",
        "calculation",
        "chain_secret",
    ] {
        assert!(!eyes.rows(table).is_empty(), "{table}");
    }
    let mut eyes = Eyes::of(&site.service.platform, Some(&[site.theirs.member.uuid()]));
    for table in ["deal", "commission_line", "payout", "payee", "member", "handshake", "signing_key", "event"] {
        let rows = eyes.rows(table);
        assert!(!rows.is_empty(), "{table}");
    }
    let members = eyes.rows("member");
    let member = site.theirs.member.uuid().to_string();
    assert!(members.iter().all(|row| row.starts_with(&member)), "a member sees itself: {members:?}");
}
