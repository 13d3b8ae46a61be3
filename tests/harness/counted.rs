//! A platform with an agreement whose deals depend on each other: a quarterly accelerator that is made up, marginal
//! tiers of the organisation, a bonus at milestones, a monthly cap of the upline, at most three welcomes in a year.

use diesel::RunQueryDsl;
use domain::agreements::{GoverningVersion, VersionContent};
use domain::kernel::ids::AgreementId;

use crate::platform::Platform;

const FIRST: &[u8] = include_bytes!("../../domain/tests/agreements/counted-1.json");
const SECOND: &[u8] = include_bytes!("../../domain/tests/agreements/counted-2.json");
const AGREEMENT: AgreementId = AgreementId::new(uuid::Uuid::from_u128(0x0198_0000_0000_7000_8002_0000_0000_00c0));

/// Members A and B stand below U; C stands alone.
pub const MEMBERS: &str = "member_ref,upline_ref\nU,\nA,U\nB,U\nC,\n";
/// A product of its vertical.
pub const PRODUCT: &str = "COMMERCIAL-PROPERTY";

/// The platform with both versions in force: the first until 14 February 2026.
#[must_use]
pub fn platform() -> Platform {
    let platform = Platform::new();
    ship(&platform);
    platform
}

/// Ships the agreement and onboards its members.
pub fn ship(platform: &Platform) {
    platform.onboard(MEMBERS);
    for (number, json) in [(1, FIRST), (2, SECOND)] {
        let content = VersionContent::parse(json).expect("content");
        let version = GoverningVersion::try_new(AGREEMENT, number, content).expect("a version");
        assert!(version.plan().is_ok_and(domain::agreements::evaluate::v2::Plan::has_counters));
        let shipped = platform.store().transaction(|uow| uow.agreements().ship("Counted", &version, platform.now));
        shipped.expect("shipped");
    }
}

/// One text a row, asked as the owner.
#[must_use]
pub fn texts(platform: &Platform, sql: &str) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        t: String,
    }
    let rows: Vec<Row> = diesel::sql_query(sql).load(&mut platform.owner()).expect("rows");
    rows.into_iter().map(|row| row.t).collect()
}

/// What everybody earned, where it lies, what each deal's last calculation came to, and where its counters stand: all
/// by names that do not change with the order of arrival.
#[must_use]
pub fn outcome(platform: &Platform) -> Vec<String> {
    let member = "coalesce((select member_ref from member m where m.id = l.member_id), 'platform')";
    let all = [
        format!(
            "select concat_ws(' ', 'member', {member}, sum(earned_minor), sum(clawed_back_minor), sum(accrued_minor + available_minor + suspense_minor), sum(recoverable_minor)) t
             from commission_line l group by l.member_id order by 1"
        ),
        format!(
            "select concat_ws(' ', 'line', d.external_ref, component, role, {member}, earned_minor, clawed_back_minor) t
             from commission_line l join deal d on d.id = l.deal_id where earned_minor <> 0 or clawed_back_minor <> 0 order by 1"
        ),
        "select concat_ws(' ', 'deal', d.external_ref, d.stage, encode(c.output_sha256, 'hex')) t from deal d
           left join lateral (select output_sha256 from calculation c where c.deal_id = d.id order by known_at desc, id desc limit 1) c on true order by 1"
            .to_owned(),
        "select concat_ws(' ', 'counter', d.external_ref, counter, scope, window_from, before_total, before_paid, before_awards, after_total, after_paid, after_awards) t
           from deal_counter c join deal d on d.id = c.deal_id order by 1"
            .to_owned(),
        "select concat_ws(' ', 'balance', a.kind, sum(balance_minor)) t from ledger_balance b join ledger_account a on a.id = b.account_id
           group by a.kind having sum(balance_minor) <> 0 order by 1"
            .to_owned(),
    ];
    all.iter().flat_map(|sql| texts(platform, sql)).collect()
}

/// What one deal earns by component and role, in cents: earned, taken back.
#[must_use]
pub fn lines(platform: &Platform, external_ref: &str) -> Vec<String> {
    texts(
        platform,
        &format!(
            "select concat_ws(' ', component, role, earned_minor, clawed_back_minor) t from commission_line l
             join deal d on d.id = l.deal_id where d.external_ref = '{external_ref}' and earned_minor <> 0 order by 1"
        ),
    )
}
