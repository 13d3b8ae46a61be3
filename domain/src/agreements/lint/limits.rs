//! Caps and floors of different spans that cannot both be kept.

use super::deal::{MadeUpDeal, Trial, ordinary, within};
use super::shown::shown;
use super::space::Space;
use crate::agreements::check::is_trail;
use crate::agreements::finding::Finding;
use crate::agreements::model::{Component, Limit};

pub(super) fn lint(trial: &Trial<'_>, space: &Space<'_>, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        for (n, floored) in component.limits.iter().enumerate() {
            let Some(floor) = floored.floor else { continue };
            for capped in component.limits.iter().filter(|other| other.role == floored.role && other.per != floored.per)
            {
                let Some(cap) = capped.cap.filter(|cap| cap.minor() < floor.minor()) else { continue };
                // Limits go from the shortest span to the longest: the longer one has the last word.
                let floor_is_last = floored.per.window() > capped.per.window();
                let why = if floor_is_last {
                    format!("the floor of {floor} tops up beyond the cap of {cap} of the shorter span")
                } else {
                    format!("the cap of {cap} of the longer span leaves the floor of {floor} unmet")
                };
                let example = breaks(trial, space, component, floored, (floor.minor(), cap.minor(), floor_is_last));
                findings.push(
                    Finding::warning("floor_above_cap", format!("/components/{place}/limits/{n}/floor"), why)
                        .showing(example),
                );
            }
        }
    }
}

fn breaks(
    trial: &Trial<'_>,
    space: &Space<'_>,
    component: &Component,
    limit: &Limit,
    (floor, cap, floor_is_last): (i64, i64, bool),
) -> Option<serde_json::Value> {
    let like = ordinary(trial.content, is_trail(trial.content, component))?;
    let regions = space.regions(&component.predicate, component)?;
    let shows = |deal: &MadeUpDeal| {
        trial.output(deal).is_some_and(|output| {
            let lines = output.lines.iter().filter(|line| line.component == component.key);
            let lines = lines.filter(|line| limit.role.is_none_or(|role| role == line.role));
            let earned: i64 = lines.map(|line| line.earned.minor()).sum();
            if floor_is_last { earned > cap } else { earned > 0 && earned < floor }
        })
    };
    let deal = regions.iter().filter_map(|region| within(space, region, &like)).find(shows)?;
    shown(trial, &[deal])
}
