//! What a payee is to the tax office: registration for GST, agreements that we write its invoices, statements.
//!
//! All of it is appended and never changed; what was wrong is told anew. Registration is a timeline of facts, each in
//! force from its day until the next; of two from one day the later one counts. An agreement ends by a fact of its own,
//! on the day from which it no longer holds (LI 2023/20; GSTR 2000/10). A supplier's statement holds on its first and
//! on its last day (TAA 1953, sch 1, s 12-190(5)).

use jiff::civil::Date;
use uuid::Uuid;

use crate::directory::payee::date;
use crate::directory::{optional, required};
use crate::kernel::fault::Reason;
use crate::kernel::ids::{ContactId, PayeeId, RctiAgreementId};
use crate::kernel::{Faults, Instant};

/// One fact of a payee's registration for GST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GstFact {
    /// Registered, or not.
    pub registered: bool,
    /// From this day on.
    pub from_on: Date,
    /// When we learned of it.
    pub known_at: Instant,
}

/// An agreement that we write a payee's tax invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RctiAgreement {
    /// Its id.
    pub id: RctiAgreementId,
    /// Whose invoices.
    pub payee: PayeeId,
    /// Which wording.
    pub wording_version: String,
    /// The contact who accepted it.
    pub accepted_by: Uuid,
    /// From this day on it holds.
    pub accepted_on: Date,
    /// From this day on it no longer holds.
    pub ended_on: Option<Date>,
    /// When it was recorded.
    pub recorded_at: Instant,
}

impl RctiAgreement {
    /// Whether it holds on a day.
    #[must_use]
    pub fn in_force_on(&self, on: Date) -> bool {
        self.accepted_on <= on && self.ended_on.is_none_or(|ended| on < ended)
    }
}

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Why a supplier quotes no ABN (ATO, NAT 3346).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum StatementReason { $($(#[$meta])* $name,)* }

        impl StatementReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// The supply is of a private or domestic nature, or a hobby.
    PrivateOrHobby = "private_or_hobby",
    /// No reasonable expectation of profit.
    NoProfitExpected = "no_profit_expected",
    /// No enterprise is carried on in Australia.
    NotCarriedOnInAustralia = "not_carried_on_in_australia",
    /// The supply is wholly input taxed.
    InputTaxed = "input_taxed",
    /// The payment is exempt income.
    ExemptIncome = "exempt_income",
    /// The supplier is under eighteen, and the payment is within the limit for them.
    UnderEighteen = "under_eighteen",
}

impl StatementReason {
    /// Reads a reason.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }
}

/// A supplier's statement on file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplierStatement {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub payee: PayeeId,
    /// Why no ABN is quoted.
    pub reason: StatementReason,
    /// The first day.
    pub from_on: Date,
    /// The last day; none: until further notice.
    pub to_on: Option<Date>,
    /// When it was recorded.
    pub recorded_at: Instant,
}

impl SupplierStatement {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds_on(&self, on: Date) -> bool {
        self.from_on <= on && self.to_on.is_none_or(|to| on <= to)
    }
}

/// Why a field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum FactError {
    /// Not a version.
    #[error("expected 1 to 40 letters, digits, dots, dashes or underscores, e.g. 2026-1")]
    Version,
    /// No such reason.
    #[error("there is no such reason for quoting no ABN")]
    Reason,
}

impl Reason for FactError {
    fn code(&self) -> &'static str {
        match self {
            Self::Version => "invalid_version",
            Self::Reason => "unknown_value",
        }
    }
}

fn version(text: &str) -> Result<String, FactError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=40).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(FactError::Version)
    }
}

/// Tells of a payee's registration for GST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordGstStatus {
    /// Registered, or not.
    pub registered: bool,
    /// From this day on.
    pub from_on: Date,
}

impl RecordGstStatus {
    /// Reads `/registered` and `/from_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(registered: Option<bool>, from_on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if registered.is_none() {
            faults.push("/registered", "required", "this field is required");
        }
        let from_on = required(&mut faults, "/from_on", from_on, date);
        match (registered, from_on) {
            (Some(registered), Some(from_on)) => Ok(Self { registered, from_on }),
            _ => Err(faults),
        }
    }
}

/// Records that a payee agreed that we write its invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRctiAgreement {
    /// Which wording.
    pub wording_version: String,
    /// Who accepted it, a contact of the payee's organisation.
    pub accepted_by: ContactId,
    /// When.
    pub accepted_on: Date,
}

impl RecordRctiAgreement {
    /// Reads `/wording_version`, `/accepted_by_contact_id` and `/accepted_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(wording: Option<&str>, accepted_by: Option<&str>, on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let wording_version = required(f, "/wording_version", wording, version);
        let accepted_by = required(f, "/accepted_by_contact_id", accepted_by, ContactId::parse);
        let accepted_on = required(f, "/accepted_on", on, date);
        match (wording_version, accepted_by, accepted_on) {
            (Some(wording_version), Some(accepted_by), Some(accepted_on)) => {
                Ok(Self { wording_version, accepted_by, accepted_on })
            }
            _ => Err(faults),
        }
    }
}

/// Ends an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndRctiAgreement {
    /// Which one.
    pub agreement: RctiAgreementId,
    /// From this day on it no longer holds.
    pub ended_on: Date,
}

impl EndRctiAgreement {
    /// Reads `/rcti_agreement_id` and `/ended_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(agreement: Option<&str>, ended_on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let agreement = required(&mut faults, "/rcti_agreement_id", agreement, RctiAgreementId::parse);
        let ended_on = required(&mut faults, "/ended_on", ended_on, date);
        match (agreement, ended_on) {
            (Some(agreement), Some(ended_on)) => Ok(Self { agreement, ended_on }),
            _ => Err(faults),
        }
    }
}

/// Puts a supplier's statement on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSupplierStatement {
    /// Why no ABN is quoted.
    pub reason: StatementReason,
    /// The first day.
    pub from_on: Date,
    /// The last day; none: until further notice.
    pub to_on: Option<Date>,
}

impl RecordSupplierStatement {
    /// Reads `/reason`, `/from_on` and `/to_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(reason: Option<&str>, from_on: Option<&str>, to_on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let reason = required(f, "/reason", reason, |text| StatementReason::parse(text).ok_or(FactError::Reason));
        let from_on = required(f, "/from_on", from_on, date);
        let to_on = optional(f, "/to_on", to_on, date);
        if let (Some(from), Some(Some(to))) = (from_on, to_on)
            && to < from
        {
            f.push("/to_on", "date_out_of_order", "the last day is before the first");
        }
        faults.clone().check()?;
        match (reason, from_on, to_on) {
            (Some(reason), Some(from_on), Some(to_on)) => Ok(Self { reason, from_on, to_on }),
            _ => Err(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(faults: Result<impl std::fmt::Debug, Faults>) -> Vec<(String, &'static str)> {
        faults.expect_err("faults").0.into_iter().map(|f| (f.pointer.to_string(), f.code)).collect()
    }

    fn wanted(list: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        list.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect()
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert_eq!(
            told(RecordGstStatus::parse(None, Some("2026-02-30"))),
            wanted(&[("/registered", "required"), ("/from_on", "invalid_date")])
        );
        assert_eq!(
            told(RecordRctiAgreement::parse(Some("one two"), Some("member_1"), None)),
            wanted(&[
                ("/wording_version", "invalid_version"),
                ("/accepted_by_contact_id", "invalid_id"),
                ("/accepted_on", "required")
            ])
        );
        assert_eq!(
            told(RecordSupplierStatement::parse(Some("because"), Some("2026-07-02"), Some("2026-07-01"))),
            wanted(&[("/reason", "unknown_value"), ("/to_on", "date_out_of_order")])
        );
        assert_eq!(
            told(EndRctiAgreement::parse(None, None)),
            wanted(&[("/rcti_agreement_id", "required"), ("/ended_on", "required")])
        );
    }
}
