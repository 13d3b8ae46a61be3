//! What can be looked up of deals, by whom, page by page.

use std::collections::BTreeSet;

use domain::access::Viewer;
use domain::catalogue::VerticalCode;
use domain::deals::deal::Stage;
use domain::deals::lookup::{DealFilter, Happened, Party};
use domain::deals::step::{Decision, Step};
use domain::kernel::PageRequest;
use domain::kernel::ids::DealId;
use domain::store::{Queries, StoreError};
use harness::platform::Platform;

use super::{EXAMPLE, EXAMPLE_MEMBERS, day, deal, settlement, step};

fn platform() -> Platform {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let _ = platform.import(EXAMPLE);
    platform
}

fn look<R>(platform: &Platform, work: impl FnMut(&mut dyn Queries) -> Result<R, StoreError>) -> R {
    platform.store().read(&Viewer::Everything, work).expect("the store answers")
}

fn all(platform: &Platform, filter: &DealFilter, limit: u16) -> Vec<DealId> {
    let (mut found, mut page) = (Vec::new(), PageRequest::of(limit));
    loop {
        let part = look(platform, |q| q.deals().list(filter, &page));
        assert!(part.data.len() <= usize::from(limit));
        found.extend(part.data.iter().map(|found| found.deal.id));
        page.after = part.next;
        if page.after.is_none() {
            return found;
        }
    }
}

#[test]
fn pages_hold_every_deal_once_newest_first_and_filters_count_as_sql_does() {
    let platform = platform();
    let everything = all(&platform, &DealFilter::default(), 200);
    assert_eq!(everything.len(), 14);
    assert!(everything.is_sorted_by(|newer, older| newer > older));
    for limit in [1, 3, 5, 14] {
        assert_eq!(all(&platform, &DealFilter::default(), limit), everything);
    }
    for stage in Stage::ALL {
        let filter = DealFilter { stage: Some(stage), ..DealFilter::default() };
        let counted = platform.number(&format!("select count(*) from deal where stage = '{}'", stage.as_str()));
        assert_eq!(all(&platform, &filter, 4).len() as i64, counted);
    }
    let by_vertical = |code| DealFilter { vertical: VerticalCode::parse(code).ok(), ..DealFilter::default() };
    assert_eq!(all(&platform, &by_vertical("V01"), 50).len(), 14);
    assert_eq!(all(&platform, &by_vertical("V02"), 50).len(), 0);
    let one = look(&platform, |q| q.deals().find(everything[0])).expect("a deal");
    let by_member = DealFilter { member: Some(one.deal.member), ..DealFilter::default() };
    let counted = platform.number(&format!("select count(*) from deal where member_id = '{}'", one.deal.member.uuid()));
    assert_eq!(all(&platform, &by_member, 2).len() as i64, counted);
    let between = |later_than, earlier_than| {
        let page = PageRequest { later_than, earlier_than, ..PageRequest::of(50) };
        look(&platform, |q| q.deals().list(&DealFilter::default(), &page)).data.len()
    };
    let before = domain::kernel::Instant::new("2026-01-01T00:00:00Z".parse().expect("a time"));
    assert_eq!((between(Some(platform.now), None), between(Some(before), None)), (0, 14));
    assert_eq!((between(None, Some(platform.now)), between(None, Some(before))), (0, 0));
    let by_ref = DealFilter { external_ref: one.deal.external_ref.clone(), ..DealFilter::default() };
    assert_eq!(all(&platform, &by_ref, 50), [everything[0]]);
    let no_key = PageRequest { after: Some(vec![1, 2, 3]), ..PageRequest::of(5) };
    let refused = platform.store().read(&Viewer::Everything, |q| q.deals().list(&DealFilter::default(), &no_key));
    assert!(matches!(refused, Err(StoreError::Violates(_))));
}

#[test]
fn a_timeline_tells_what_happened_in_the_order_in_which_we_learned_of_it() {
    let mut platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let _ = platform.import(&super::file(&["T-1,M016,Ann,FIXED-3Y,2026-01-01,,,,,"]));
    let id = deal(&platform, "T-1");
    let mut hour = 13;
    let mut next = |platform: &mut Platform, what| {
        platform.now = domain::kernel::Instant::new(format!("2026-11-23T{hour}:00:00Z").parse().expect("a time"));
        hour += 1;
        step(platform, id, what).expect("a step");
    };
    next(&mut platform, Step::Decision(Decision { to: Stage::Accepted, on: Some(day("2026-01-02")), reason: None }));
    next(&mut platform, Step::Contract { on: day("2026-01-05") });
    next(&mut platform, Step::Settlement(settlement("2026-02-01", 10_000_000)));
    next(&mut platform, Step::Discharge { on: day("2026-06-01") });
    let told: Vec<String> = look(&platform, |q| q.deals().timeline(id))
        .into_iter()
        .map(|event| match event.happened {
            Happened::Moved { from, to, reason, .. } => {
                format!("{} -> {} ({reason})", from.map_or("", Stage::as_str), to.as_str())
            }
            Happened::Said { kind, .. } => format!("said {kind}"),
            Happened::Stated { kind, assurance, .. } => format!("{assurance} {kind}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "attested offer",
            "attested accept",
            "attested seal",
            "said referral",
            " -> referred (import)",
            "referred -> accepted (decision)",
            "said contract",
            "accepted -> contracted (contract)",
            "said settlement",
            "contracted -> settled (settlement)",
            "said discharge",
            "settled -> reversed (discharge)",
        ]
    );
}

#[test]
fn participants_and_commission_are_those_of_the_deal() {
    let platform = platform();
    let id = all(&platform, &DealFilter::default(), 200)[0];
    let found = look(&platform, |q| q.deals().find(id)).expect("the deal").deal;
    let parts = look(&platform, |q| q.deals().participants(id));
    let roles: Vec<&str> = parts.iter().map(|part| part.role).collect();
    assert!(roles.starts_with(&["provider", "introducer", "member"]) && roles.ends_with(&["client"]));
    assert_eq!(parts[0].name.as_deref(), Some("First Provider Bank Ltd"));
    assert_eq!(parts[2].party, Party::Member(found.member));
    assert_eq!(parts.last().map(|part| part.party), Some(Party::Contact(found.client)));
    assert!(parts.last().is_some_and(|part| part.name.is_some()));
    for id in all(&platform, &DealFilter::default(), 200) {
        let commission = look(&platform, |q| q.deals().commission(id));
        let sum: i64 = commission.lines.iter().map(|line| line.earned_minor).sum();
        let counted =
            format!("select coalesce(sum(earned_minor), 0) from commission_line where deal_id = '{}'", id.uuid());
        assert_eq!(sum, platform.number(&counted));
        let known: BTreeSet<_> = commission.calculations.iter().map(|calculation| calculation.id).collect();
        assert!(commission.lines.iter().all(|line| known.contains(&line.calculation)));
    }
}

#[test]
fn a_member_sees_their_deals_and_of_their_money_their_own_lines() {
    let platform = platform();
    let with_upline = all(&platform, &DealFilter { stage: Some(Stage::Settled), ..DealFilter::default() }, 200)
        .into_iter()
        .find(|id| look(&platform, |q| q.deals().commission(*id)).lines.len() == 3)
        .expect("a deal with three lines");
    let deal = look(&platform, |q| q.deals().find(with_upline)).expect("the deal").deal;
    let see = |viewer: Viewer| {
        platform
            .store()
            .read(&viewer, |q| {
                let lines = q.deals().commission(with_upline)?.lines;
                let events = q.deals().timeline(with_upline)?.len();
                let listed = q.deals().list(&DealFilter::default(), &PageRequest::of(200))?.data.len();
                Ok((q.deals().find(with_upline)?.is_some(), lines.len(), events > 0, listed))
            })
            .expect("the store answers")
    };
    let own = platform.number(&format!("select count(*) from deal where member_id = '{}'", deal.member.uuid()));
    assert_eq!(see(Viewer::Parties(vec![deal.member.uuid()])), (true, 1, true, own as usize));
    assert_eq!(
        see(Viewer::Parties(vec![platform.introducer.uuid()])),
        (true, 2, true, 14),
        "what its members earn, not the platform's share"
    );
    assert_eq!(see(Viewer::Parties(vec![platform.provider.uuid()])), (true, 0, true, 14));
    assert_eq!(see(Viewer::Parties(vec![uuid::Uuid::from_u128(1)])), (false, 0, false, 0));
    let upline = deal.upline.expect("an upline").uuid();
    let (sees_deal, lines, ..) = see(Viewer::Parties(vec![upline]));
    assert_eq!((sees_deal, lines), (false, 1));
}

#[test]
fn the_pipeline_counts_every_deal_once_by_stage_and_age() {
    let platform = platform();
    let today = day("2026-11-23");
    let stages = look(&platform, |q| q.deals().pipeline(None, today));
    assert_eq!(stages.iter().map(|row| row.deals).sum::<u64>(), 14);
    for row in &stages {
        assert_eq!(row.up_to_30_days + row.up_to_90_days + row.over_90_days, row.deals);
        let name = row.stage.as_str();
        let settled =
            platform.number(&format!("select coalesce(sum(settled_minor), 0) from deal where stage = '{name}'"));
        assert_eq!(row.settled_minor, settled);
        // In an export every move has a date of its own: the age runs from the last one.
        let oldest = platform.number(&format!(
            "select max('2026-11-23'::date - case stage when 'referred' then referred_on when 'contracted' then contracted_on
               when 'settled' then settled_on else discharged_on end) from deal where stage = '{name}'"
        ));
        assert_eq!(i64::from(row.oldest_days), oldest, "{name}");
    }
    assert!(look(&platform, |q| q.deals().pipeline(VerticalCode::parse("V02").ok(), today)).is_empty());
}
