//! How long payouts take: each has a clock in banking days, from the day on which it is sent.
//!
//! A payout is on time if the rail says within [`target_days`] banking days that it arrived; it is late from the next
//! day on, whether it is still on its way or arrived then. One that came back stops its clock and counts apart: what is
//! sent in its stead has a clock of its own. Dates are Sydney's. The targets are a policy of the operator (assumed):
//! an entry of Direct Entry is with the payee on the next banking day, and the statement that shows it comes a day
//! later. Bounds: figures are worked out from counts by day, of at most [`WINDOW_DAYS`] days and of everything open.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::calendar;
use super::payout::PayoutState;
use crate::directory::payee::Rail;
use crate::kernel::ids::PayoutId;

/// For how many days back ended payouts are counted.
pub const WINDOW_DAYS: u16 = 90;

/// Banking days within which a payout arrives.
#[must_use]
pub const fn target_days(rail: Rail) -> u16 {
    match rail {
        Rail::Aba | Rail::Stripe => 2,
    }
}

/// The last day on which a payout that is sent on a day is on time.
#[must_use]
pub fn due_on(rail: Rail, sent_on: Date) -> Date {
    calendar::banking_days_after(sent_on, target_days(rail))
}

/// Whether a payout is, or was, late; `ended_on` is the day on which it arrived or came back.
#[must_use]
pub fn is_late(rail: Rail, sent_on: Date, state: PayoutState, ended_on: Option<Date>, today: Date) -> bool {
    let due_on = due_on(rail, sent_on);
    match state {
        PayoutState::InTransit | PayoutState::WaitingForFunds | PayoutState::Unknown => today > due_on,
        PayoutState::Settled => ended_on.is_some_and(|on| on > due_on),
        PayoutState::Returned => false,
    }
}

/// Payouts of one rail that were sent on one day and ended on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    /// The rail.
    pub rail: Rail,
    /// When they were sent.
    pub sent_on: Date,
    /// Where they stand.
    pub state: PayoutState,
    /// When they ended, if they did.
    pub ended_on: Option<Date>,
    /// How many.
    pub payouts: u64,
    /// The first of them.
    pub first: PayoutId,
}

/// The oldest payout on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oldest {
    /// The payout.
    pub payout: PayoutId,
    /// When it was sent.
    pub sent_on: Date,
    /// Banking days since.
    pub banking_days: u32,
}

/// How one rail does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RailSla {
    /// The rail.
    pub rail: Rail,
    /// Arrived in time.
    pub on_time: u64,
    /// Arrived late.
    pub late: u64,
    /// On their way, not late yet.
    pub open: u64,
    /// On their way, and late.
    pub open_late: u64,
    /// Came back.
    pub returned: u64,
    /// The oldest that is on its way.
    pub oldest: Option<Oldest>,
}

impl RailSla {
    /// Arrived in time, as millionths of all that arrived or are late; all of them when there is none.
    #[must_use]
    pub fn attained_ppm(&self) -> u64 {
        let all = self.on_time + self.late + self.open_late;
        self.on_time.saturating_mul(1_000_000).checked_div(all).unwrap_or(1_000_000)
    }
}

/// From which day on ended payouts are counted.
#[must_use]
pub fn since(today: Date) -> Date {
    today.checked_sub(i64::from(WINDOW_DAYS).days()).unwrap_or(Date::MIN)
}

/// How the rails do.
#[must_use]
pub fn by_rail(counts: &[DayCount], today: Date) -> [RailSla; 2] {
    [Rail::Aba, Rail::Stripe].map(|rail| {
        let mut sla = RailSla { rail, on_time: 0, late: 0, open: 0, open_late: 0, returned: 0, oldest: None };
        for count in counts.iter().filter(|count| count.rail == rail) {
            let is_late = is_late(rail, count.sent_on, count.state, count.ended_on, today);
            let figure = match (count.state, is_late) {
                (PayoutState::Returned, _) => &mut sla.returned,
                (PayoutState::Settled, false) => &mut sla.on_time,
                (PayoutState::Settled, true) => &mut sla.late,
                (PayoutState::InTransit | PayoutState::WaitingForFunds | PayoutState::Unknown, false) => &mut sla.open,
                (PayoutState::InTransit | PayoutState::WaitingForFunds | PayoutState::Unknown, true) => {
                    &mut sla.open_late
                }
            };
            *figure += count.payouts;
            if count.state.is_open() && sla.oldest.is_none_or(|oldest| count.sent_on < oldest.sent_on) {
                let banking_days = calendar::banking_days_between(count.sent_on, today);
                sla.oldest = Some(Oldest { payout: count.first, sent_on: count.sent_on, banking_days });
            }
        }
        sla
    })
}
