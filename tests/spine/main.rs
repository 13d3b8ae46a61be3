//! The spine on real PostgreSQL: an export goes in; a balanced ledger and a signed log come out.

use std::collections::BTreeMap;

use domain::access::Viewer;
use domain::ledger::release;
use harness::platform::Platform;
use serde_json::Value;

const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const EXAMPLE_MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
const EXAMPLE_EXPECTED: &str = include_str!("../../data/v01/v01-example-expected.json");
const ALL: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
const ALL_MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");
const ALL_EXPECTED: &str = include_str!("../../data/v01/v01-deals-expected.json");

/// Earned and clawed back per member, as an expectation file has it.
fn expected_members(expected: &Value) -> BTreeMap<String, (i64, i64)> {
    let figure = |member: &Value, key: &str| member[key].as_i64().expect("a figure");
    let members = expected["members"].as_object().expect("members");
    members.iter().map(|(name, m)| (name.clone(), (figure(m, "earned"), figure(m, "clawed_back")))).collect()
}

fn members(platform: &Platform) -> BTreeMap<String, (i64, i64)> {
    let totals = platform
        .store()
        .read(&Viewer::Everything, |q| q.ledger().member_totals(platform.introducer))
        .expect("the totals");
    totals.into_iter().map(|t| (t.member_ref, (t.earned_minor, t.clawed_back_minor))).collect()
}

fn compare(platform: &Platform, expected: &str) {
    let expected: Value = serde_json::from_str(expected).expect("JSON");
    assert_eq!(members(platform), expected_members(&expected));
    let stages = platform.store().read(&Viewer::Everything, |q| q.deals().count_by_stage()).expect("the stages");
    let stages: BTreeMap<String, i64> = stages.into_iter().map(|s| (s.stage, s.deals)).collect();
    let wanted = expected["stages"].as_object().expect("stages");
    let wanted: BTreeMap<String, i64> = wanted.iter().map(|(s, n)| (s.clone(), n.as_i64().expect("a count"))).collect();
    assert_eq!(stages, wanted);
    let net = "select coalesce(sum(earned_minor - clawed_back_minor), 0) from commission_line where role = 'platform'";
    assert_eq!(platform.number(net), expected["platform_net"].as_i64().expect("a figure"));
    let upfront = "select coalesce(sum(earned_minor), 0) from commission_line";
    assert_eq!(platform.number(upfront), expected["upfront_total"].as_i64().expect("a figure"));
    assert_eq!(platform.number("select coalesce(sum(amount_minor), 0) from ledger_posting"), 0);
}

#[test]
fn the_example_comes_to_the_cent() {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let report = platform.import(EXAMPLE);
    assert_eq!((report.rows, report.created, report.superseded), (18, 14, 1));
    let refused: Vec<&str> = report.refused.iter().filter_map(|r| r.external_ref.as_deref()).collect();
    assert_eq!(refused, ["BAD-81-0002", "BAD-81-0000", "BAD-81-0001"]);
    compare(&platform, EXAMPLE_EXPECTED);
}

#[test]
fn the_whole_export_comes_to_the_cent_and_importing_it_again_changes_nothing() {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let report = platform.import(ALL);
    assert_eq!((report.rows, report.created, report.refused.len()), (1286, 1200, 12));
    compare(&platform, ALL_EXPECTED);
    let entries = platform.number("select count(*) from ledger_entry");
    let again = platform.import(ALL);
    assert_eq!((again.created, again.corrected, again.unchanged), (0, 0, 1200));
    assert_eq!(platform.number("select count(*) from ledger_entry"), entries);
    let head = platform.sequence();
    let leaves = platform.number("select count(*) from chain_leaf");
    assert_eq!(i64::try_from(head.size).expect("a size"), leaves);
    assert_eq!(platform.number("select count(*) from chain_pending"), 0);
}

#[test]
fn a_correction_posts_the_difference_and_edits_nothing() {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let file = |amount: &str, discharged: &str| {
        let header = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
        format!("{header}\nC-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,{amount},0.00,{discharged}\n")
    };
    let postings = "select count(*) from ledger_posting";
    let _ = platform.import(file("100000.00", "").as_bytes());
    assert_eq!(members(&platform)["M016"], (39_000, 0));
    let before = platform.number(postings);
    let _ = platform.import(file("200000.00", "").as_bytes());
    assert_eq!(members(&platform)["M016"], (78_000, 0));
    assert!(platform.number(postings) > before);
    let _ = platform.import(file("200000.00", "2026-06-01").as_bytes());
    assert_eq!(members(&platform)["M016"], (78_000, 78_000));
    assert_eq!(members(&platform)["M004"], (13_000, 13_000));
    // The correction of a correction: it was not discharged after all.
    let _ = platform.import(file("200000.00", "").as_bytes());
    assert_eq!(members(&platform)["M016"], (78_000, 0));
    assert_eq!(platform.number("select count(*) from deal where stage = 'settled'"), 1);
}

#[test]
fn what_is_due_is_released_once() {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let release = || {
        let mut released = 0;
        loop {
            let batch = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
            released += batch;
            if batch < usize::try_from(release::BATCH).expect("a size") {
                return released;
            }
        }
    };
    assert!(release() > 0);
    assert_eq!(release(), 0);
    assert_eq!(
        platform.number("select count(*) from commission_line where accrued_minor > 0 and payable_on <= '2026-11-23'"),
        0
    );
}

#[test]
fn the_database_refuses_entries_that_do_not_follow_and_postings_that_come_late() {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let _ = platform.import(EXAMPLE);
    let forged = [
        (
            "takes no more postings",
            "insert into ledger_posting (entry_seq, n, account_id, amount_minor, account_seq, balance_after_minor)
             select 1, n, account_id, amount, 1000000 + n, 0 from (values (100, 5), (101, -5)) v (n, amount),
               (select account_id from ledger_posting limit 1) a",
        ),
        (
            "takes no more postings",
            "insert into ledger_posting (entry_seq, n, account_id, amount_minor, account_seq, balance_after_minor)
             select 1000000, n, account_id, amount, 1000000 + n, 0 from (values (0, 5), (1, -5)) v (n, amount),
               (select account_id from ledger_posting limit 1) a",
        ),
        (
            "does not balance",
            "insert into ledger_posting (entry_seq, n, account_id, amount_minor, account_seq, balance_after_minor)
             select 1, n, '00000000-0000-7000-8000-000000000404', amount, 1 + n - 100, 0 from (values (100, 5), (101, -5)) v (n, amount)",
        ),
        (
            "does not name the hash",
            "insert into chain_pending (source_id, kind, lane, n, leaf, created_at)
             values ('00000000-0000-7000-8000-000000000001', 'ledger_entry', sha256('lane'), 0, 'leaf', now());
             insert into ledger_entry (seq, id, kind, source_id, effective_on, recorded_at, canonical, sha256, previous_sha256, visible_to)
             select max(seq) + 1, '00000000-0000-7000-8000-000000000001', 'adjustment', '00000000-0000-7000-8000-000000000002',
               current_date, now(), 'c', sha256('c'), sha256('bogus'), '{}' from ledger_entry",
        ),
        ("yet to come", "select keep_partitions(current_date + 400)"),
    ];
    for (why, sql) in forged {
        let refusal = platform.refusal_of(sql).unwrap_or_else(|| panic!("obeyed: {sql}"));
        assert!(refusal.contains(why), "{refusal}");
    }
    let login = "select count(*) from pg_roles where rolname = 'flip360_service' and rolcanlogin and not rolsuper and not rolinherit";
    assert_eq!(platform.number(login), 1, "the private cluster's service owns nothing");
}

#[test]
fn the_service_cannot_change_what_is_append_only() {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let _ = platform.import(EXAMPLE);
    let _ = platform.sequence();
    let tables = [
        ("ledger_entry", "kind"),
        ("ledger_posting", "n"),
        ("ledger_account", "kind"),
        ("deal_fact", "kind"),
        ("deal_transition", "n"),
        ("chain_leaf", "kind"),
        ("chain_tile", "n"),
        ("chain_checkpoint", "size"),
        ("chain_checkpoint_note", "size"),
        ("chain_secret", "kind"),
        ("handshake", "hop"),
        ("handshake_statement", "kind"),
        ("calculation", "known_at"),
    ];
    for (table, column) in tables {
        for sql in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
            format!("alter table {table} disable trigger all"),
        ] {
            let refusal = platform.refusal_of(&sql).unwrap_or_else(|| panic!("obeyed: {sql}"));
            assert!(refusal.contains("permission denied") || refusal.contains("must be owner"), "{sql}: {refusal}");
        }
        // Even the owner, who has the permission, is stopped by the guard.
        use diesel::connection::SimpleConnection;
        for sql in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
        ] {
            let refusal = platform.owner().batch_execute(&sql).expect_err(&sql).to_string();
            assert!(refusal.contains("append-only"), "{sql}: {refusal}");
        }
    }
}

#[test]
fn a_partner_reads_nothing_foreign_whatever_is_asked() {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let _ = platform.import(EXAMPLE);
    let seen = |viewer: &Viewer| {
        let counts = platform.store().read(viewer, |q| q.deals().count_by_stage()).expect("the stages");
        counts.iter().map(|c| c.deals).sum::<i64>()
    };
    assert_eq!(seen(&Viewer::Everything), 14);
    assert_eq!(seen(&Viewer::Parties(vec![platform.introducer.uuid()])), 14);
    assert_eq!(seen(&Viewer::Parties(vec![uuid::Uuid::from_u128(99)])), 0);
    assert_eq!(seen(&Viewer::Parties(vec![])), 0);
}

#[test]
fn a_service_that_ran_past_its_partitions_starts_again() {
    use diesel::connection::SimpleConnection as _;
    let platform = Platform::new();
    let mut owner = platform.owner();
    owner
        .batch_execute(
            "insert into idempotency_record (caller, key, created_on, fingerprint, status, content_type, body)
             values (gen_random_uuid(), 'late', current_date + 5, sha256(''), 200, 'application/json', '');
             insert into idempotency_record (caller, key, created_on, fingerprint, status, content_type, body)
             values (gen_random_uuid(), 'old', current_date - 40, sha256(''), 200, 'application/json', '');
             select keep_partitions(current_date + 2)",
        )
        .expect("the day that lies in the default partition stays there");
    assert_eq!(platform.number("select count(*) from idempotency_record where key = 'late'"), 1);
    assert_eq!(platform.number("select count(*) from idempotency_record where key = 'old'"), 0);
}
