//! How components hang together: groups, and who asks for whom.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, Known};
use crate::agreements::model::{Combine, CombineMode, Component, ComponentKey, ComponentRate, Trigger, VersionContent};

/// The components that this one asks for, each with the pointer below the component that names it.
pub(in crate::agreements) fn references(component: &Component) -> Vec<(&ComponentKey, &'static str)> {
    let mut found = Vec::new();
    if let Trigger::Component { key } = &component.trigger {
        found.push((key, "/trigger/key"));
    }
    if let ComponentRate::PercentOfComponent { component: key, .. } = &component.rate {
        found.push((key, "/rate/component"));
    }
    found
}

/// The groups in the order of their first component, each with the places of its components.
pub(in crate::agreements) fn groups(content: &VersionContent) -> Vec<(&Combine, Vec<usize>)> {
    let mut groups: Vec<(&Combine, Vec<usize>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, component) in content.components.iter().enumerate() {
        let combine = &component.combine;
        let group = *places.entry(&combine.group).or_insert_with(|| {
            groups.push((combine, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(place);
    }
    groups
}

/// The groups in an order in which each comes after those that it asks for; the ones that are left over go round
/// in circles.
pub(in crate::agreements) fn ordered(content: &VersionContent) -> (Vec<usize>, Vec<usize>) {
    let groups = groups(content);
    let group_of: BTreeMap<&ComponentKey, usize> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, (_, places))| places.iter().map(move |place| (&content.components[*place].key, group)))
        .collect();
    let needs: Vec<BTreeSet<usize>> = groups
        .iter()
        .enumerate()
        .map(|(group, (_, places))| {
            let named = places.iter().flat_map(|place| references(&content.components[*place]));
            named.filter_map(|(key, _)| group_of.get(key).copied()).filter(|other| *other != group).collect()
        })
        .collect();
    let mut order: Vec<usize> = Vec::with_capacity(groups.len());
    let mut left: Vec<usize> = (0..groups.len()).collect();
    loop {
        let ready: Vec<usize> = left.iter().copied().filter(|g| needs[*g].iter().all(|n| order.contains(n))).collect();
        let Some(next) = ready.first() else { return (order, left) };
        order.push(*next);
        left.retain(|group| group != next);
    }
}

pub(super) fn check(findings: &mut Findings, content: &VersionContent) {
    let known = Known::of(content, &[]);
    let groups = groups(content);
    let place_of: BTreeMap<&ComponentKey, usize> =
        content.components.iter().enumerate().map(|(place, component)| (&component.key, place)).collect();
    for (combine, places) in &groups {
        let first = &content.components[places[0]];
        for place in &places[1..] {
            let other = &content.components[*place];
            if other.combine.mode != combine.mode {
                findings.error(
                    "group_mode",
                    format!("/components/{place}/combine/mode"),
                    format!("the group `{}` has another mode", combine.group),
                );
            }
            if known.is_trail(other) != known.is_trail(first) {
                findings.error(
                    "group_mixes_trail",
                    format!("/components/{place}/combine/group"),
                    "a group earns once or in each period, not both",
                );
            }
        }
    }
    for (place, component) in content.components.iter().enumerate() {
        for (key, below) in references(component) {
            let at = format!("/components/{place}{below}");
            let Some(target) = place_of.get(key) else {
                findings.error("unknown_component", at, format!("there is no component `{key}`"));
                continue;
            };
            let other = &content.components[*target];
            if known.is_trail(other) != known.is_trail(component) {
                findings.error(
                    "mixes_trail",
                    at,
                    format!(
                        "`{key}` earns {} and this one does not",
                        if known.is_trail(other) { "in each period" } else { "once" }
                    ),
                );
            } else if other.combine.group == component.combine.group
                && (*target >= place || matches!(component.combine.mode, CombineMode::First | CombineMode::Best))
            {
                findings.error(
                    "component_cycle",
                    at,
                    format!("`{key}` is not decided before this one: put it into a group of its own"),
                );
            }
        }
    }
    for group in ordered(content).1 {
        for place in &groups[group].1 {
            for (_, below) in references(&content.components[*place]) {
                findings.error(
                    "component_cycle",
                    format!("/components/{place}{below}"),
                    "components ask for each other in a circle",
                );
            }
        }
    }
}
