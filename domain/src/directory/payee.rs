//! Payees: who gets paid, under which name and number, by which rail, into which account.
//!
//! GST registration is a timeline of dated facts; the answer on a date is the last fact on or before it.
//! The mapping of members to payees is dated too: the payee of a line is the one in force when it accrues.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::aba_text::AbaText;
use super::bank::{AccountNumber, BankDetails, Bsb, BsbDirectory};
use super::number::Abn;
use super::organisation::UnknownWord;
use super::text::LegalName;
use super::{optional, required};
use crate::kernel::Faults;
use crate::kernel::ids::{MemberId, OrganisationId, PayeeId};

/// How a payee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    /// By a bank file.
    #[default]
    Aba,
    /// By Stripe Connect.
    Stripe,
}

impl Rail {
    /// Reads `aba` or `stripe`.
    ///
    /// # Errors
    /// [`UnknownWord`].
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "aba" => Ok(Self::Aba),
            "stripe" => Ok(Self::Stripe),
            _ => Err(UnknownWord { expected: "aba, stripe" }),
        }
    }

    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Aba => "aba",
            Self::Stripe => "stripe",
        }
    }
}

/// When a payee was, and was not, registered for GST. Nothing known means not registered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GstTimeline(Vec<(Date, bool)>);

impl GstTimeline {
    /// From facts in any order; of two on one date the later in the list counts.
    #[must_use]
    pub fn restore(facts: impl IntoIterator<Item = (Date, bool)>) -> Self {
        let mut facts: Vec<_> = facts.into_iter().collect();
        facts.sort_by_key(|(from, _)| *from);
        Self(facts)
    }

    /// Registered on this date?
    #[must_use]
    pub fn registered_on(&self, date: Date) -> bool {
        self.0.iter().rev().find(|(from, _)| *from <= date).is_some_and(|(_, registered)| *registered)
    }

    /// The facts, oldest first.
    #[must_use]
    pub fn facts(&self) -> &[(Date, bool)] {
        &self.0
    }
}

/// Who gets paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payee {
    /// Its id.
    pub id: PayeeId,
    /// Through whom it earns.
    pub organisation: OrganisationId,
    /// The name on its documents.
    pub legal_name: LegalName,
    /// Its ABN; without one tax is withheld.
    pub abn: Option<Abn>,
    /// The account, for the bank rail.
    pub bank: Option<BankDetails>,
    /// Registration for GST.
    pub gst: GstTimeline,
    /// How it is paid.
    pub rail: Rail,
}

/// From `from_on`, what a member earns goes to this payee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayeeMapping {
    /// Who earns.
    pub member: MemberId,
    /// Who is paid.
    pub payee: PayeeId,
    /// The first day.
    pub from_on: Date,
}

/// The payee of a member on a date; `None` means member suspense. Of two mappings from one date the
/// later in the list counts.
#[must_use]
pub fn payee_on(mappings: &[PayeeMapping], member: MemberId, date: Date) -> Option<PayeeId> {
    let in_force = mappings.iter().filter(|m| m.member == member && m.from_on <= date);
    in_force.max_by_key(|m| m.from_on).map(|m| m.payee)
}

/// A request to create a payee, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreatePayeeInput {
    /// `/organisation_id`
    pub organisation_id: Option<String>,
    /// `/legal_name`
    pub legal_name: Option<String>,
    /// `/abn`
    pub abn: Option<String>,
    /// `/gst_registered_from`, a date
    pub gst_registered_from: Option<String>,
    /// `/rail`, `aba` if absent
    pub rail: Option<String>,
    /// `/bank_account`
    pub bank_account: Option<BankAccountInput>,
    /// `/minimum_payout/amount`, nought if absent
    pub minimum_payout_minor: Option<i64>,
    /// `/member_id`: who is paid to it
    pub member_id: Option<String>,
    /// `/from_on`: from which day on; today if absent
    pub from_on: Option<String>,
}

/// A bank account, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankAccountInput {
    /// `/bank_account/bsb`
    pub bsb: Option<String>,
    /// `/bank_account/account_number`
    pub account_number: Option<String>,
    /// `/bank_account/account_name`
    pub account_name: Option<String>,
}

/// A valid request to create a payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePayee {
    /// Through whom it earns.
    pub organisation: OrganisationId,
    /// The name on its documents.
    pub legal_name: LegalName,
    /// Its ABN.
    pub abn: Option<Abn>,
    /// Registration for GST.
    pub gst: GstTimeline,
    /// How it is paid.
    pub rail: Rail,
    /// Its account.
    pub bank: Option<BankDetails>,
    /// Less than this is not paid out, in minor units.
    pub minimum_payout_minor: i64,
    /// Who is paid to it, from which day on; the day of the request if none is said.
    pub member: Option<(MemberId, Option<Date>)>,
}

/// Who is registered for GST has an ABN.
pub(crate) fn gst_needs_abn() -> Faults {
    let mut faults = Faults::default();
    faults.push("/abn", "required", "a payee that is registered for GST has an ABN");
    faults
}

impl BankAccountInput {
    /// Checks every field, and the branch against the directory; pointers begin with `at`.
    pub fn check(&self, at: &str, directory: &dyn BsbDirectory, faults: &mut Faults) -> Option<BankDetails> {
        let bsb = required(faults, &format!("{at}/bsb"), self.bsb.as_deref(), |text| {
            let bsb = Bsb::parse(text)?;
            directory.bank_of(bsb).map(|_| bsb)
        });
        let number = format!("{at}/account_number");
        let account = required(faults, &number, self.account_number.as_deref(), AccountNumber::parse);
        let title = required(faults, &format!("{at}/account_name"), self.account_name.as_deref(), AbaText::parse);
        Some(BankDetails { bsb: bsb?, account: account?, title: title? })
    }
}

/// Not a calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-07-01")]
pub(crate) struct NotADate;

impl crate::kernel::fault::Reason for NotADate {
    fn code(&self) -> &'static str {
        "invalid_date"
    }
}

pub(crate) fn date(text: &str) -> Result<Date, NotADate> {
    let date: Date = text.parse().map_err(|_| NotADate)?;
    if date.to_string() == text { Ok(date) } else { Err(NotADate) }
}

impl CreatePayee {
    /// Checks every field, and the branch against the directory.
    ///
    /// # Errors
    /// All faults at once. The bank rail needs a bank account.
    pub fn parse(raw: &CreatePayeeInput, directory: &dyn BsbDirectory) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let organisation = required(f, "/organisation_id", raw.organisation_id.as_deref(), OrganisationId::parse);
        let legal_name = required(f, "/legal_name", raw.legal_name.as_deref(), LegalName::parse);
        let abn = optional(f, "/abn", raw.abn.as_deref(), Abn::parse);
        let gst_from = optional(f, "/gst_registered_from", raw.gst_registered_from.as_deref(), date);
        let rail = optional(f, "/rail", raw.rail.as_deref(), Rail::parse).map(Option::unwrap_or_default);
        let bank = raw.bank_account.as_ref().map(|bank| bank.check("/bank_account", directory, f));
        if raw.bank_account.is_none() && rail == Some(Rail::Aba) {
            f.push("/bank_account", "required", "a payee that is paid by bank file needs a bank account");
        }
        if raw.abn.is_none() && raw.gst_registered_from.is_some() {
            f.0.extend(gst_needs_abn().0);
        }
        if raw.minimum_payout_minor.is_some_and(i64::is_negative) {
            f.push("/minimum_payout/amount", "negative", "a minimum is nought or more");
        }
        let member = optional(f, "/member_id", raw.member_id.as_deref(), MemberId::parse);
        let from_on = optional(f, "/from_on", raw.from_on.as_deref(), date);
        if raw.member_id.is_none() && raw.from_on.is_some() {
            f.push("/member_id", "required", "a first day needs the member whose it is");
        }
        let made = (|| {
            let gst = GstTimeline::restore(gst_from?.map(|from| (from, true)));
            let bank = bank.map_or(Some(None), |checked| checked.map(Some))?;
            let from_on = from_on?;
            Some(Self {
                organisation: organisation?,
                legal_name: legal_name?,
                abn: abn?,
                gst,
                rail: rail?,
                bank,
                minimum_payout_minor: raw.minimum_payout_minor.unwrap_or(0),
                member: member?.map(|member| (member, from_on)),
            })
        })();
        faults.clone().check()?;
        made.ok_or(faults)
    }

    /// The new payee.
    #[must_use]
    pub fn into_payee(self, id: PayeeId) -> Payee {
        let Self { organisation, legal_name, abn, gst, rail, bank, .. } = self;
        Payee { id, organisation, legal_name, abn, bank, gst, rail }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bank::PrefixDirectory;
    use super::*;
    use uuid::Uuid;

    fn raw() -> CreatePayeeInput {
        CreatePayeeInput {
            organisation_id: Some("org_01h455vb4pex5vsknk084sn02q".into()),
            legal_name: Some("José Núñez".into()),
            abn: Some("51 824 753 556".into()),
            gst_registered_from: Some("2026-07-01".into()),
            rail: None,
            minimum_payout_minor: None,
            member_id: None,
            from_on: None,
            bank_account: Some(BankAccountInput {
                bsb: Some("062000".into()),
                account_number: Some("1234-5678".into()),
                account_name: Some("José Núñez".into()),
            }),
        }
    }

    #[test]
    fn the_account_name_is_made_fit_for_the_bank_when_it_is_saved() {
        let payee = CreatePayee::parse(&raw(), &PrefixDirectory).expect("valid");
        let bank = payee.bank.expect("bank details");
        assert_eq!(bank.title.as_str(), "Jose Nunez");
        assert_eq!((bank.bsb.to_string().as_str(), bank.account.as_str()), ("062-000", "12345678"));
        assert_eq!(payee.legal_name.as_str(), "José Núñez");
        assert!(payee.gst.registered_on(Date::constant(2026, 7, 1)));
        assert!(!payee.gst.registered_on(Date::constant(2026, 6, 30)));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let bank = BankAccountInput {
            bsb: Some("999-999".into()),
            account_number: Some("000".into()),
            account_name: Some("李 明".into()),
        };
        let raw = CreatePayeeInput {
            abn: Some("1".into()),
            gst_registered_from: Some("2026-02-30".into()),
            rail: Some("cash".into()),
            bank_account: Some(bank),
            ..raw()
        };
        let faults = CreatePayee::parse(&raw, &PrefixDirectory).expect_err("faults").0;
        let told: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(
            told,
            [
                ("/abn", "invalid_abn"),
                ("/gst_registered_from", "invalid_date"),
                ("/rail", "unknown_value"),
                ("/bank_account/bsb", "unknown_bsb"),
                ("/bank_account/account_number", "account_number_all_zeros"),
                ("/bank_account/account_name", "not_in_bank_character_set"),
            ]
        );
        let none = CreatePayeeInput { bank_account: None, abn: None, ..self::raw() };
        let faults = CreatePayee::parse(&none, &PrefixDirectory).expect_err("faults").0;
        let told: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(told, ["/bank_account", "/abn"]);
    }

    #[test]
    fn the_mapping_in_force_on_the_date_counts() {
        let member = MemberId::new(Uuid::from_u128(1));
        let (old, new) = (PayeeId::new(Uuid::from_u128(2)), PayeeId::new(Uuid::from_u128(3)));
        let on = |month| Date::constant(2026, month, 1);
        let mappings =
            [PayeeMapping { member, payee: new, from_on: on(7) }, PayeeMapping { member, payee: old, from_on: on(2) }];
        assert_eq!(payee_on(&mappings, member, on(1)), None);
        assert_eq!(payee_on(&mappings, member, on(6)), Some(old));
        assert_eq!(payee_on(&mappings, member, on(7)), Some(new));
        assert_eq!(payee_on(&mappings, MemberId::new(Uuid::from_u128(9)), on(7)), None);
    }
}
