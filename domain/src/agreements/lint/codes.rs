//! Every code that a finding can have: stable, as programs and people who approved go by them.

use crate::agreements::finding::Severity;

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// As a finding names it.
    pub code: &'static str,
    /// How grave its findings are.
    pub severity: Severity,
    /// What it means, for a person.
    pub meaning: &'static str,
}

const fn error(code: &'static str, meaning: &'static str) -> Code {
    Code { code, severity: Severity::Error, meaning }
}

const fn warning(code: &'static str, meaning: &'static str) -> Code {
    Code { code, severity: Severity::Warning, meaning }
}

/// Every code: those of the check, those of the lint, those of the guardrails.
pub const CODES: &[Code] = &[
    error(
        "absent_to_missing",
        "A share whose participant may be absent does not say, in the end, who is always there to get it.",
    ),
    error("accumulator_as_key", "A lookup table asks for a running total, which belongs to one agreement only."),
    error("accumulator_count", "There are more than 16 accumulators."),
    error("band_not_last", "A key of a lookup table other than the last one is a band."),
    error("cap_below_floor", "A limit's cap is below its own floor."),
    error("clawback_on_trail", "A component that earns in each period of a trail has a clawback."),
    error("component_count", "There is no component, or there are more than 64."),
    error("component_cycle", "Components ask for each other in a circle, or for one that is not decided before them."),
    error("count_needs_window", "A greatest count of deals is reckoned per deal."),
    error("count_of_role", "Deals are counted for a role rather than for the whole."),
    error("duplicate_key", "Two components, or two accumulators, have the same key."),
    error("effective_range", "The version ends before it begins."),
    error("empty_limit", "A limit has neither cap nor floor nor greatest count."),
    error("empty_list", "A condition `in` has no values."),
    error("empty_range", "A condition `between` ends before it begins."),
    error("empty_schedule", "A clawback has no steps."),
    error("excess_returns", "What is above a role's cap would come back to that role when another one is absent."),
    error("excess_to_missing", "A role is limited, and its share does not say who gets the rest."),
    error("flat_tier", "A flat amount stands in a tier that is paid by bands."),
    error("fraction_out_of_range", "A clawback takes back less than nothing or more than the whole."),
    error("group_mixes_trail", "A group holds components that earn once and such that earn in each period."),
    error("group_mode", "Components of one group name different modes."),
    error("invalid_name", "A name is empty, longer than 120 characters or holds a control character."),
    error("key_count", "A lookup table has no key or more than 6, or a row has another number of values."),
    error("limit_role_not_in_split", "A limit is for a role that has no share."),
    error("limit_twice", "Two limits are for the same role and span."),
    error("mixes_trail", "A component that earns once asks for one that earns in each period, or the reverse."),
    error("months_out_of_range", "A clawback reaches over no month or over more than 120."),
    error("negative_rate", "A rate, an amount, a cap or a floor is below 0."),
    error("negative_threshold", "A tier or a milestone begins below 0, or at something that is no number."),
    error("passes_to_nobody", "A share is passed on to a role that has no other share."),
    error("periods_per_year", "A trail has other than 1, 2, 4 or 12 periods a year."),
    error("predicate_too_large", "A condition has more than 16 levels or 256 parts."),
    error("proration_needs_window", "A limit of a deal or a lifetime is prorated by days."),
    error("role_twice", "A role has two shares."),
    error("row_count", "A lookup table has no row or more than 5,000."),
    error("row_twice", "Two rows of a lookup table have the same keys."),
    error("running_total_on_trail", "A component of a trail asks for a running total or has a limit over a window."),
    error("share_count", "A split has no share or more than 16."),
    error("split_not_whole", "The shares of a split are not 100 %, or one is negative, or two take the remainder."),
    error("steps_out_of_order", "A step of a clawback does not come after the one before it."),
    error("tier_count", "A rate has no tier or milestone, or more than 64."),
    error("tiers_out_of_order", "A tier or milestone does not begin above the one before it."),
    error("trail_without_period", "A component that is not set off by a trail asks for the balance of a period."),
    error("true_up_falls", "A tier that is trued up pays less than the one before it."),
    error("true_up_needs_accumulator", "A rate is trued up and goes by the deal rather than by a running total."),
    error("unit_mismatch", "A value is of another kind than what it is compared with or paid for."),
    error("unknown_accumulator", "There is no accumulator with this key."),
    error("unknown_component", "There is no component with this key."),
    error("unknown_table", "There is no lookup table with this id, number and hash."),
    error("branch_shadowed", "In a `first` group every deal of this component has earned by the ones before it."),
    warning("branches_overlap", "In a `sum` group one deal earns by two branches for the same thing."),
    warning("clawback_rises", "More is taken back the older the deal is."),
    warning("cliff", "A larger deal earns less than one that is a single unit smaller."),
    warning("dates_gap", "Between this version and its neighbour there are days on which none governs."),
    error("dates_hidden", "A version with a greater number is in force on every day of this one."),
    warning("dates_overlap", "An earlier version says that it is in force on days on which this one governs."),
    warning(
        "dates_overlap_backwards",
        "This version has a greater number than one that begins later, and would take its deals.",
    ),
    warning("floor_above_cap", "A floor over one span is above a cap over another one: both cannot be kept."),
    warning("milestone_unreachable", "A milestone stands at 0, which no running total passes."),
    error("no_canonical_form", "A number of the content is beyond what canonical JSON carries exactly."),
    error("predicate_never_true", "No deal that sets the component off meets its condition."),
    warning("tier_above_cap", "A tier begins where the deal has earned its cap already."),
    warning("tier_unreachable", "The condition of the component shuts a tier out."),
    warning("zero_rate", "The component never earns anything: its rate is 0."),
    error("clawback_months_at_most", "Commission is taken back for longer than the vertical allows."),
    error(
        "clawback_share_first_year",
        "Less than the vertical asks is taken back of a deal that ends in its first year.",
    ),
    error(
        "clawback_share_second_year",
        "Less than the vertical asks is taken back of a deal that ends in its second year.",
    ),
    error("cooling_off_first", "What is set off before settlement may be paid before the cooling-off is over."),
    error("flat_fee_only", "A component pays something else than a flat amount."),
    warning("licensed_participants_only", "People get a share, and each of them needs a licence: see to it."),
    error("no_volume_or_campaign_benefits", "What is paid depends on a running total, which the vertical forbids."),
    error("ongoing_share_at_most", "A trail pays more of a year's premium than the vertical allows."),
    error("upfront_share_at_most", "More of the first year's premium is paid upfront than the vertical allows."),
];
