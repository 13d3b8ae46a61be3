//! Statements of members.

use domain::access::{Actor, Role};
use domain::kernel::PageRequest;
use domain::kernel::ids::MemberId;
use domain::payouts::statement::{MemberStatement, of_member};
use harness::platform::Platform;
use uuid::Uuid;

use crate::runs::{import, with_deals};
use crate::world::{keep, paid, people, person};

/// The id of a member.
pub fn member(platform: &Platform, name: &str) -> MemberId {
    use diesel::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: Uuid,
    }
    let row: Row = diesel::sql_query(format!("select id from member where member_ref = '{name}'"))
        .get_result(&mut platform.owner())
        .expect("a member");
    MemberId::new(row.id)
}

fn statement(platform: &Platform, actor: &Actor, member: MemberId) -> Option<MemberStatement> {
    let page = PageRequest::of(2);
    platform
        .store()
        .read_snapshot(&actor.viewer(), |q| of_member(q.statements(), actor, member, &page))
        .expect("a look")
}

#[test]
fn it_tells_what_was_earned_taken_back_paid_and_what_is_left() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01"), ("C-2", "M016", ""), ("C-3", "M016", "")]);
    let run = paid(&platform, &people, &account);
    let said = statement(&platform, &people.finance, member(&platform, "M016")).expect("a statement");
    assert_eq!(said.member.member_ref, "M016");
    assert_eq!((said.totals.lines, said.totals.earned_minor, said.totals.clawed_back_minor), (3, 234_000, 78_000));
    let buckets = said.totals.buckets;
    assert_eq!((buckets.in_transit_minor, buckets.recoverable_minor, buckets.set_off_minor), (156_000, 0, 0));
    assert_eq!(said.lines.data.len(), 2);
    assert!(said.lines.next.is_some());
    let payouts: Vec<(i64, i64)> = said.payouts.iter().map(|(p, own)| (p.amount_minor, *own)).collect();
    assert_eq!(payouts, [(78_000, 78_000), (78_000, 78_000)]);
    assert_eq!(said.payouts[0].0.run, run.id);
}

#[test]
fn only_those_concerned_may_read_it() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let (own, upline) = (member(&platform, "M016"), member(&platform, "M004"));
    let partner = |organisation| Actor { organisation: Some(organisation), ..person(30, Role::PartnerAdmin) };
    let as_member = |id| Actor { member: Some(id), ..partner(platform.introducer) };
    assert!(statement(&platform, &partner(platform.introducer), own).is_some());
    assert!(statement(&platform, &as_member(own), own).is_some());
    assert!(statement(&platform, &person(31, Role::Auditor), own).is_some());
    assert!(statement(&platform, &as_member(upline), own).is_none(), "an upline sees the member, not its money");
    assert!(statement(&platform, &partner(platform.provider), own).is_none());
    assert!(statement(&platform, &person(32, Role::Investor), own).is_none());
    assert!(statement(&platform, &person(31, Role::Auditor), MemberId::new(Uuid::from_u128(404))).is_none());
}
