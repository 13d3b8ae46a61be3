//! What a simulation found, for people.

use std::io::{Result, Write};

use domain::simulation::Found;
use domain::simulation::report::{
    AmountsReport, Band, CandidateComparison, MonteCarlo, ParticipantDifference, Percentiles, ScenarioReport,
    SimulationReport,
};

/// Changed deals that are shown.
pub const SHOWN_CHANGES: usize = 5;
/// Winners and losers that are shown.
const SHOWN_PARTICIPANTS: usize = 3;

/// With its thousands apart: `1,234.50`.
fn money(minor: i64) -> String {
    let (sign, dollars, cents) =
        (if minor < 0 { "-" } else { "" }, minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
    let digits = dollars.to_string();
    let mut apart = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    format!("{sign}{apart}.{cents:02}")
}

fn difference(minor: i64) -> String {
    if minor > 0 { format!("+{}", money(minor)) } else { money(minor) }
}

/// Writes it.
pub fn tell(found: &Found, out: &mut dyn Write) -> Result<()> {
    let report = &found.report;
    let population = &report.population;
    writeln!(
        out,
        "{} deals ({}), {} settled, {} of these unwound; seed {}",
        population.deals, population.kind, population.settled, population.unwound, population.seed
    )?;
    if population.ungoverned + population.out_of_range > 0 {
        writeln!(
            out,
            "left out: {} no version governs, {} out of range",
            population.ungoverned, population.out_of_range
        )?;
    }
    totals(&report.scenarios, out)?;
    for comparison in &report.comparisons {
        compared(comparison, out)?;
    }
    months(report, out)?;
    changes(found, out)?;
    if let Some(runs) = &report.monte_carlo {
        bands(runs, out)?;
    }
    Ok(())
}

fn totals(scenarios: &[ScenarioReport], out: &mut dyn Write) -> Result<()> {
    writeln!(out)?;
    writeln!(out, "{:<24} {:>17} {:>17} {:>17} {:>17}", "AUD", "earned", "taken back", "participants", "platform")?;
    let mut row = |name: &str, amounts: &AmountsReport| {
        writeln!(
            out,
            "{name:<24} {:>17} {:>17} {:>17} {:>17}",
            money(amounts.earned_minor),
            money(amounts.clawed_back_minor),
            money(amounts.participants_minor),
            money(amounts.platform_minor)
        )
    };
    for scenario in scenarios {
        row(&scenario.name, &scenario.totals)?;
        for (kind, parts) in [("", &scenario.by_vertical), ("cohort ", &scenario.by_cohort)] {
            for part in parts.iter().filter(|_| parts.len() > 1) {
                row(&format!("  {kind}{}", part.name), &part.amounts)?;
            }
        }
    }
    Ok(())
}

fn compared(comparison: &CandidateComparison, out: &mut dyn Write) -> Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "{} beside active: {} in all, {} for participants, {} for the platform",
        comparison.name,
        difference(comparison.difference_minor),
        difference(comparison.participants_difference_minor),
        difference(comparison.platform_difference_minor)
    )?;
    writeln!(
        out,
        "  {} deals and {} lines change; {} participants win, {} lose, {} get the same",
        comparison.changed_deals, comparison.changed_lines, comparison.winners, comparison.losers, comparison.unchanged
    )?;
    spread("  of a changed deal", comparison.deal_percentiles.as_ref(), out)?;
    spread("  of a participant", comparison.participant_percentiles.as_ref(), out)?;
    participants("  win most", &comparison.top_winners, out)?;
    participants("  lose most", &comparison.top_losers, out)?;
    Ok(())
}

fn spread(what: &str, percentiles: Option<&Percentiles>, out: &mut dyn Write) -> Result<()> {
    let Some(p) = percentiles else { return Ok(()) };
    writeln!(
        out,
        "{what}: least {}, 5 % {}, half {}, 95 % {}, most {}",
        difference(p.least_minor),
        difference(p.p5_minor),
        difference(p.p50_minor),
        difference(p.p95_minor),
        difference(p.most_minor)
    )?;
    Ok(())
}

fn participants(what: &str, named: &[ParticipantDifference], out: &mut dyn Write) -> Result<()> {
    for (n, one) in named.iter().take(SHOWN_PARTICIPANTS).enumerate() {
        let (was, is) = (money(one.active_minor), money(one.candidate_minor));
        let what = if n == 0 { what } else { "" };
        writeln!(out, "{what:<12} {} {} ({was} → {is})", one.member_id, difference(one.difference_minor))?;
    }
    Ok(())
}

fn months(report: &SimulationReport, out: &mut dyn Write) -> Result<()> {
    writeln!(out)?;
    for scenario in &report.scenarios {
        if let (Some(worst), Some(first), Some(last)) =
            (&scenario.worst_month, scenario.cash_by_month.first(), scenario.cash_by_month.last())
        {
            writeln!(
                out,
                "{}: cash from {} to {}; most to pay in {}: {}",
                scenario.name,
                first.month.strftime("%Y-%m"),
                last.month.strftime("%Y-%m"),
                worst.month.strftime("%Y-%m"),
                money(worst.participants_minor)
            )?;
        }
    }
    Ok(())
}

fn changes(found: &Found, out: &mut dyn Write) -> Result<()> {
    if found.changes.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "Deals that change most, for participants:")?;
    for change in &found.changes {
        let nets: Vec<String> = change.net_minor.iter().map(|net| money(*net)).collect();
        writeln!(out, "  {} {}", change.deal, nets.join(" → "))?;
    }
    Ok(())
}

fn bands(runs: &MonteCarlo, out: &mut dyn Write) -> Result<()> {
    writeln!(out)?;
    writeln!(out, "Over {} runs ({} deals): participants are paid", runs.runs, runs.deals)?;
    let shown = |band: &Band| {
        format!(
            "5 % {}, 25 % {}, half {}, 75 % {}, 95 % {}",
            money(band.p5_minor),
            money(band.p25_minor),
            money(band.p50_minor),
            money(band.p75_minor),
            money(band.p95_minor)
        )
    };
    for scenario in &runs.scenarios {
        writeln!(out, "  {}: {}", scenario.name, shown(&scenario.participants))?;
    }
    Ok(())
}
