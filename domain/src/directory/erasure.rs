//! What erasing a contact takes away, and what stays and why (ADR-20).
//!
//! The contact's own data go at once, with the envelopes, salts and lane secrets of the handshakes by which it was
//! referred. What the tax law wants kept of somebody who was paid stays for [`RETENTION_YEARS`] after the last payment,
//! and what somebody is still owed by stays as long: the handshakes that the money rests on, the payee with its name and
//! account. Erasing again, later, takes those. Commitments, entries of the ledger and ids stay for ever.
//! Invariant: a plan never names what others need: a payee that is somebody else's too is kept.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::kernel::Instant;
use crate::kernel::ids::{ApiClientId, DealId, PayeeId, UserId};

/// How long what explains a payment is kept: five years from the payment (s 262A of the Income Tax Assessment Act 1936,
/// s 382-5 in Schedule 1 to the Taxation Administration Act 1953).
pub const RETENTION_YEARS: i16 = 5;

/// The name of a payee whose name was erased.
pub const ERASED_NAME: &str = "Erased";

/// How a contact takes part in a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It was referred.
    Client,
    /// It referred.
    Referrer,
}

/// A deal whose envelopes are still kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DealTrace {
    /// The deal.
    pub deal: DealId,
    /// As whom the contact is in it.
    pub part: Part,
    /// Whether money of it still lies with somebody, or is to be got back.
    pub owed: bool,
    /// When it was paid for last.
    pub paid_at: Option<Instant>,
}

/// A payee that a contact is paid as, and that is not erased yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayeeTrace {
    /// The payee.
    pub payee: PayeeId,
    /// Whether others than the contact are paid to it.
    pub shared: bool,
    /// Whether it is owed anything, or owes.
    pub owed: bool,
    /// When it was paid last.
    pub paid_at: Option<Instant>,
}

/// Where a contact has left traces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Its deals.
    pub deals: Vec<DealTrace>,
    /// Its payees.
    pub payees: Vec<PayeeTrace>,
    /// The users that log in as it and are not erased yet.
    pub users: Vec<UserId>,
    /// The API clients that act as it and are not revoked yet.
    pub clients: Vec<ApiClientId>,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptThing {
    /// Signed words of deals that it referred.
    Handshakes,
    /// Whom it is paid as: the name, the ABN, the account.
    Payee,
    /// Files as they went to the bank, in which its account stands among others'.
    BankFiles,
}

/// Why it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptReason {
    /// Money is still owed.
    Owed,
    /// It was paid within the retention of the tax law.
    Paid,
    /// Others are paid to it.
    Shared,
    /// It is one record with those of others.
    OneRecord,
}

macro_rules! words {
    ($($name:ident: $($variant:ident = $word:literal),*;)*) => {
        $(impl $name {
            /// As it is shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        })*
    };
}

words! {
    KeptThing: Handshakes = "handshakes", Payee = "payee", BankFiles = "bank_files";
    KeptReason: Owed = "owed", Paid = "paid", Shared = "shared", OneRecord = "one_record";
}

/// Things that are kept for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// How many.
    pub count: u64,
    /// The day from which on the last of them can be erased; none when no day is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// What.
    pub what: KeptThing,
    /// Why.
    pub why: KeptReason,
}

/// What an erasure took and kept: counts and days, nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// API clients that acted as it and do so no more.
    #[serde(default)]
    pub clients: u64,
    /// Whether name, e-mail address and telephone number were still there.
    pub contact: bool,
    /// Deals whose envelopes, salts and lane secrets went.
    pub deals: u64,
    /// What stays.
    pub kept: Vec<Kept>,
    /// Payees whose name, ABN and accounts went.
    pub payees: u64,
    /// Users whose address went and who do not log in any more.
    pub users: u64,
}

/// What is to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Deals.
    pub deals: Vec<DealId>,
    /// Payees.
    pub payees: Vec<PayeeId>,
    /// Users.
    pub users: Vec<UserId>,
    /// API clients.
    pub clients: Vec<ApiClientId>,
    /// What stays.
    pub kept: Vec<Kept>,
}

impl Plan {
    /// Decides what goes today.
    #[must_use]
    pub fn of(footprint: &Footprint, today: Date) -> Self {
        let (users, clients) = (footprint.users.clone(), footprint.clients.clone());
        let mut plan = Self { users, clients, ..Self::default() };
        for trace in &footprint.deals {
            match (trace.part, held(trace.owed, trace.paid_at, today)) {
                (Part::Client, _) | (Part::Referrer, None) => plan.deals.push(trace.deal),
                (Part::Referrer, Some((why, until))) => plan.keep(KeptThing::Handshakes, why, until),
            }
        }
        for trace in &footprint.payees {
            let why =
                if trace.shared { Some((KeptReason::Shared, None)) } else { held(trace.owed, trace.paid_at, today) };
            match why {
                Some((why, until)) => plan.keep(KeptThing::Payee, why, until),
                None => {
                    plan.payees.push(trace.payee);
                    if trace.paid_at.is_some() {
                        plan.keep(KeptThing::BankFiles, KeptReason::OneRecord, None);
                    }
                }
            }
        }
        // A deal of somebody who referred themselves stands there twice.
        plan.deals.sort_unstable();
        plan.deals.dedup();
        plan.kept.sort_unstable_by_key(|kept| (kept.what, kept.why));
        plan
    }

    fn keep(&mut self, what: KeptThing, why: KeptReason, until: Option<Date>) {
        match self.kept.iter_mut().find(|kept| (kept.what, kept.why) == (what, why)) {
            Some(kept) => {
                kept.count += 1;
                kept.until = kept.until.max(until);
            }
            None => self.kept.push(Kept { count: 1, until, what, why }),
        }
    }

    /// Whether nothing goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deals.is_empty() && self.payees.is_empty() && self.users.is_empty() && self.clients.is_empty()
    }

    /// What is told of it.
    #[must_use]
    pub fn report(&self, contact: bool) -> Report {
        Report {
            clients: self.clients.len() as u64,
            contact,
            deals: self.deals.len() as u64,
            kept: self.kept.clone(),
            payees: self.payees.len() as u64,
            users: self.users.len() as u64,
        }
    }
}

/// Why something is kept today, and until when.
fn held(owed: bool, paid_at: Option<Instant>, today: Date) -> Option<(KeptReason, Option<Date>)> {
    if owed {
        return Some((KeptReason::Owed, None));
    }
    let until = kept_until(paid_at?.sydney_date());
    (today < until).then_some((KeptReason::Paid, Some(until)))
}

/// The day from which on what explains a payment may go. Of a 29 February that is 1 March.
fn kept_until(paid_on: Date) -> Date {
    let same_day = paid_on.checked_add(jiff::Span::new().years(RETENTION_YEARS)).unwrap_or(Date::MAX);
    if same_day.day() == paid_on.day() { same_day } else { same_day.tomorrow().unwrap_or(Date::MAX) }
}

/// The last day of which the law keeps nothing any more: what explains a payment of that day may go.
pub(super) fn released_up_to(today: Date) -> Date {
    today.checked_sub(jiff::Span::new().years(RETENTION_YEARS)).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn at(text: &str) -> Option<Instant> {
        Some(Instant::new(text.parse().expect("a time")))
    }

    fn deal(n: u128, part: Part, owed: bool, paid_at: Option<Instant>) -> DealTrace {
        DealTrace { deal: DealId::new(id(n)), part, owed, paid_at }
    }

    fn on(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn what_may_go_is_what_is_kept_no_longer() {
        for paid_on in ["2028-06-30", "2028-02-29", "2028-02-28"].map(on) {
            let until = kept_until(paid_on);
            assert!(released_up_to(until) >= paid_on, "{paid_on}");
            assert!(released_up_to(until.yesterday().expect("a day")) < paid_on, "{paid_on}");
        }
    }

    #[test]
    fn a_client_loses_every_handshake_a_referrer_those_that_no_money_rests_on() {
        let paid = at("2026-11-23T12:00:00Z");
        let footprint = Footprint {
            deals: vec![
                deal(1, Part::Client, true, paid),
                deal(2, Part::Referrer, false, None),
                deal(3, Part::Referrer, true, None),
                deal(4, Part::Referrer, false, paid),
                deal(5, Part::Referrer, true, paid),
            ],
            ..Footprint::default()
        };
        let plan = Plan::of(&footprint, on("2026-11-29"));
        assert_eq!(plan.deals, [DealId::new(id(1)), DealId::new(id(2))]);
        let kept: Vec<_> = plan.kept.iter().map(|k| (k.what, k.why, k.count, k.until)).collect();
        assert_eq!(
            kept,
            [
                (KeptThing::Handshakes, KeptReason::Owed, 2, None),
                (KeptThing::Handshakes, KeptReason::Paid, 1, Some(on("2031-11-23"))),
            ]
        );
    }

    #[test]
    fn the_retention_ends_on_its_day() {
        let footprint = Footprint {
            deals: vec![deal(1, Part::Referrer, false, at("2024-02-29T12:00:00Z"))],
            ..Footprint::default()
        };
        let goes = |today| !Plan::of(&footprint, on(today)).deals.is_empty();
        assert_eq!((goes("2029-02-28"), goes("2029-03-01"), goes("2034-01-01")), (false, true, true));
    }

    #[test]
    fn a_payee_of_others_stays_and_a_file_of_many_is_named() {
        let payee = |n, shared, owed, paid_at| PayeeTrace { payee: PayeeId::new(id(n)), shared, owed, paid_at };
        let footprint = Footprint {
            payees: vec![
                payee(1, true, false, None),
                payee(2, false, false, None),
                payee(3, false, false, at("2020-01-01T00:00:00Z")),
                payee(4, false, false, at("2026-01-01T00:00:00Z")),
            ],
            ..Footprint::default()
        };
        let plan = Plan::of(&footprint, on("2026-11-29"));
        assert_eq!(plan.payees, [PayeeId::new(id(2)), PayeeId::new(id(3))]);
        let kept: Vec<_> = plan.kept.iter().map(|k| (k.what, k.why, k.count)).collect();
        assert_eq!(
            kept,
            [
                (KeptThing::Payee, KeptReason::Paid, 1),
                (KeptThing::Payee, KeptReason::Shared, 1),
                (KeptThing::BankFiles, KeptReason::OneRecord, 1),
            ]
        );
    }
}
