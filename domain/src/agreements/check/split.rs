//! Splits and limits: the parts make up the whole, whoever is absent or capped has somebody to pass it on to.

use std::collections::BTreeSet;

use super::{Findings, Known};
use crate::agreements::model::{Component, Limit, LimitSpan, MAX_SHARES, Proration, Role, Share};

pub(super) fn check(findings: &mut Findings, known: &Known<'_>, component: &Component, at: &str) {
    let split = &component.split;
    if split.is_empty() || split.len() > MAX_SHARES {
        findings.error("share_count", format!("{at}/split"), format!("expected 1 to {MAX_SHARES} shares"));
        return;
    }
    if Share::sizes(split).is_none() {
        findings.error(
            "split_not_whole",
            format!("{at}/split"),
            "the shares do not make up 100 %, or one is negative, or two take the remainder",
        );
    }
    let mut seen = BTreeSet::new();
    for (place, share) in split.iter().enumerate() {
        let at = format!("{at}/split/{place}");
        if !seen.insert(share.role) {
            findings.error("role_twice", format!("{at}/role"), format!("{} has a share already", share.role));
        }
        for (field, to) in [("absent_to", share.absent_to), ("excess_to", share.excess_to)] {
            let Some(to) = to else { continue };
            if to == share.role || !split.iter().any(|other| other.role == to) {
                findings.error(
                    "passes_to_nobody",
                    format!("{at}/{field}"),
                    format!("{to} is no other share of the split"),
                );
            }
        }
        if heir(split, share.role).is_none() {
            findings.error(
                "absent_to_missing",
                at,
                format!("when there is no {}, nobody gets its share: name somebody who is always there", share.role),
            );
        }
    }
    let mut spans: Vec<(Option<Role>, LimitSpan)> = Vec::new();
    for (place, limit) in component.limits.iter().enumerate() {
        let at = format!("{at}/limits/{place}");
        one(findings, limit, split, &at);
        if spans.contains(&(limit.role, limit.per)) {
            findings.error("limit_twice", at.clone(), "there is a limit for this role and span already");
        }
        spans.push((limit.role, limit.per));
        if limit.per.window().is_some() && known.is_trail(component) {
            findings.error(
                "running_total_on_trail",
                format!("{at}/per"),
                "a period of a trail is limited by itself only: `deal`",
            );
        }
    }
}

/// Who gets a role's share when it is absent: the first that is always there, by `absent_to`.
fn heir(split: &[Share], role: Role) -> Option<Role> {
    let mut at = role;
    // As many steps as there are shares: a circle ends too.
    for _ in 0..=split.len() {
        if matches!(at, Role::Member | Role::Platform) {
            return Some(at);
        }
        at = split.iter().find(|share| share.role == at)?.absent_to?;
    }
    None
}

fn one(findings: &mut Findings, limit: &Limit, split: &[Share], at: &str) {
    if limit.cap.is_none() && limit.floor.is_none() && limit.max_count.is_none() {
        findings.error("empty_limit", at, "expected a cap, a floor or a greatest count");
    }
    for (field, amount) in [("cap", limit.cap), ("floor", limit.floor)] {
        if amount.is_some_and(|amount| amount.minor() < 0) {
            findings.error("negative_rate", format!("{at}/{field}"), "expected nothing below 0");
        }
    }
    if let (Some(cap), Some(floor)) = (limit.cap, limit.floor)
        && cap.minor() < floor.minor()
    {
        findings.error("cap_below_floor", format!("{at}/cap"), format!("the cap {cap} is below the floor {floor}"));
    }
    if limit.proration == Proration::DaysInForce && matches!(limit.per, LimitSpan::Deal | LimitSpan::Lifetime) {
        findings.error(
            "proration_needs_window",
            format!("{at}/proration"),
            "a deal or a lifetime has no days to share out",
        );
    }
    let Some(role) = limit.role else {
        if limit.max_count.is_some() && limit.per == LimitSpan::Deal {
            findings.error("count_needs_window", format!("{at}/max_count"), "every deal is one: name a longer span");
        }
        return;
    };
    if limit.max_count.is_some() {
        findings.error("count_of_role", format!("{at}/max_count"), "deals are counted for the whole: leave `role` out");
    }
    match split.iter().find(|share| share.role == role) {
        None => findings.error("limit_role_not_in_split", format!("{at}/role"), format!("{role} has no share")),
        Some(share) if share.excess_to.is_none() => {
            findings.error(
                "excess_to_missing",
                format!("{at}/role"),
                format!("the share of {role} does not say who gets the rest"),
            );
        }
        Some(_) if comes_back(split, role) => findings.error(
            "excess_returns",
            format!("{at}/role"),
            format!("when somebody is absent, what {role} may not have comes back to it: pass it on to somebody else"),
        ),
        Some(_) => {}
    }
}

/// Whether what a role passes on as excess can come back to it, because those that it goes to are absent.
fn comes_back(split: &[Share], role: Role) -> bool {
    let share = |role: Role| split.iter().find(|share| share.role == role);
    let mut at = share(role).and_then(|share| share.excess_to);
    for _ in 0..=split.len() {
        match at {
            Some(to) if to == role => return true,
            Some(Role::Member | Role::Platform) | None => return false,
            Some(to) => at = share(to).and_then(|share| share.absent_to),
        }
    }
    false
}
