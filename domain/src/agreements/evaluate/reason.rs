//! Why a component pays nothing: stable codes that outputs carry for ever.

/// Its trigger has not happened.
pub const TRIGGER_NOT_MET: &str = "trigger_not_met";
/// Its condition does not hold.
pub const PREDICATE_FALSE: &str = "predicate_false";
/// It comes to nothing.
pub const NOTHING_EARNED: &str = "nothing_earned";
/// What it is a part of was not told.
pub const AMOUNT_NOT_KNOWN: &str = "amount_not_known";
/// The deal, or the running total, is below the first tier.
pub const BELOW_FIRST_TIER: &str = "below_first_tier";
/// The lookup table has no such row.
pub const NO_ROW: &str = "no_row";
/// The running total passed no milestone with this deal.
pub const MILESTONE_NOT_REACHED: &str = "milestone_not_reached";
/// A running total needs the date that governs, which is not known yet.
pub const NOT_GOVERNED_YET: &str = "not_governed_yet";
/// Another component of its group came first.
pub const ANOTHER_CAME_FIRST: &str = "another_came_first";
/// Another component of its group earns more, or as much and comes first.
pub const ANOTHER_EARNS_MORE: &str = "another_earns_more";
/// The cap of its window is used up.
pub const CAP_REACHED: &str = "cap_reached";
/// As many deals as the limit allows have earned.
pub const COUNT_REACHED: &str = "count_reached";
/// The deal was discharged by the end of the period.
pub const DISCHARGED: &str = "discharged";

/// Every reason, for a person.
pub const ALL: [(&str, &str); 13] = [
    (TRIGGER_NOT_MET, "its trigger has not happened"),
    (PREDICATE_FALSE, "its condition does not hold"),
    (NOTHING_EARNED, "it comes to nothing"),
    (AMOUNT_NOT_KNOWN, "what it is a part of was not told"),
    (BELOW_FIRST_TIER, "the deal or the running total is below the first tier"),
    (NO_ROW, "the lookup table has no such row"),
    (MILESTONE_NOT_REACHED, "the running total passed no milestone with this deal"),
    (NOT_GOVERNED_YET, "a running total needs the date that governs, which is not known yet"),
    (ANOTHER_CAME_FIRST, "another component of its group came first"),
    (ANOTHER_EARNS_MORE, "another component of its group earns as much or more"),
    (CAP_REACHED, "the cap is used up"),
    (COUNT_REACHED, "as many deals as the limit allows have earned already"),
    (DISCHARGED, "the deal was discharged by the end of the period"),
];
