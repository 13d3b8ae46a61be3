//! Clawback that takes more back the older the deal is.

use super::deal::{Trial, earned_by, ordinary, within};
use super::shown::{shown, unwound};
use super::space::Space;
use crate::agreements::finding::Finding;
use crate::agreements::model::Clawback;
use crate::kernel::Rate;

pub(super) fn lint(trial: &Trial<'_>, space: &Space<'_>, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        let steps: Vec<(u16, Rate)> = match &component.clawback {
            // From which month on, and how much.
            Some(Clawback::Step { steps }) => {
                let from = std::iter::once(0).chain(steps.iter().map(|step| step.before_months));
                from.zip(steps.iter().map(|step| step.fraction)).collect()
            }
            Some(Clawback::Custom { fractions }) => (0..).zip(fractions.iter().copied()).collect(),
            Some(Clawback::StraightLine { .. }) | None => continue,
        };
        let Some(rises) = steps.windows(2).position(|pair| pair[1].1 > pair[0].1) else { continue };
        let ((_, less), (month, more)) = (steps[rises], steps[rises + 1]);
        let field = match &component.clawback {
            Some(Clawback::Step { .. }) => format!("steps/{}/fraction", rises + 1),
            _ => format!("fractions/{}", rises + 1),
        };
        let example = ordinary(trial.content, false).and_then(|like| {
            let regions = space.regions(&component.predicate, component)?;
            let deals = regions.iter().filter_map(|region| within(space, region, &like));
            let earns = deals
                .into_iter()
                .find(|deal| trial.output(deal).is_some_and(|output| earned_by(&output, &component.key) > 0))?;
            let earlier = unwound(&earns, i64::from(month) - 1)?;
            shown(trial, &[earlier, unwound(&earns, i64::from(month))?])
        });
        findings.push(
            Finding::warning(
                "clawback_rises",
                format!("/components/{place}/clawback/{field}"),
                format!("after {month} months {more} of the whole is taken back, a month earlier {less}"),
            )
            .showing(example),
        );
    }
}
