//! Another bank account for a payee: one person proposes it, a second one approves it, and then it cools off.
//!
//! Whoever takes over an account of ours must not be able to lead money elsewhere. The second person types BSB and
//! account number again, as the payee told them by another way; what was proposed is nowhere shown in full. The
//! payee's organisation and members hear of both steps, and for [`COOL_OFF_HOURS`] after the approval nothing is paid
//! to the payee at all. A newer proposal replaces the one that waits.

use jiff::SignedDuration;
use uuid::Uuid;

use super::bank::{AccountNumber, BankDetails, Bsb, BsbDirectory};
use super::error::DirectoryError;
use super::payee::BankAccountInput;
use super::record::PayeeRecord;
use super::{required, service};
use crate::access::audit::Altered;
use crate::access::{Persons, Scope};
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::ids::{BankChangeId, PayeeId};
use crate::kernel::{Faults, Instant, Page, PageRequest};
use crate::store::{StoreError, UnitOfWork};

/// How long after its approval an account is not paid to.
pub const COOL_OFF_HOURS: i64 = 48;

/// Where a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankChangeState {
    /// It waits for a second person.
    Proposed,
    /// A second person approved it.
    Approved,
    /// A newer proposal took its place.
    Replaced,
}

impl BankChangeState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Replaced => "replaced",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Approved, Self::Replaced].into_iter().find(|state| state.as_str() == text)
    }
}

/// A change of a payee's bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankChange {
    /// Its id.
    pub id: BankChangeId,
    /// Whose account.
    pub payee: PayeeId,
    /// The new account.
    pub details: BankDetails,
    /// Where it stands.
    pub state: BankChangeState,
    /// Who proposed it.
    pub proposed_by: Uuid,
    /// When.
    pub proposed_at: Instant,
    /// Who approved it.
    pub approved_by: Option<Uuid>,
    /// When.
    pub approved_at: Option<Instant>,
    /// From when on it is paid to.
    pub usable_from: Option<Instant>,
}

impl BankChange {
    /// The change after a second person has approved it.
    ///
    /// # Errors
    /// [`DirectoryError::BankChangeDecided`], [`DirectoryError::SamePerson`], [`DirectoryError::BankDetailsDiffer`].
    pub fn approve(
        self,
        by: Uuid,
        at: Instant,
        typed: &ApproveBankChange,
        persons: &Persons,
    ) -> Result<Self, DirectoryError> {
        if self.state != BankChangeState::Proposed {
            return Err(DirectoryError::BankChangeDecided);
        }
        if persons.are_one(self.proposed_by, by) {
            return Err(DirectoryError::SamePerson);
        }
        if (self.details.bsb, &self.details.account) != (typed.bsb, &typed.account) {
            return Err(DirectoryError::BankDetailsDiffer);
        }
        let cooled = at.timestamp().checked_add(SignedDuration::from_hours(COOL_OFF_HOURS)).map_or(at, Instant::new);
        let (approved_by, approved_at, usable_from) = (Some(by), Some(at), Some(cooled));
        Ok(Self { state: BankChangeState::Approved, approved_by, approved_at, usable_from, ..self })
    }
}

/// A valid request to propose another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposeBankChange {
    /// The account.
    pub(super) details: BankDetails,
}

impl ProposeBankChange {
    /// Checks every field, and the branch against the directory.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &BankAccountInput, directory: &dyn BsbDirectory) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let details = raw.check("", directory, &mut faults);
        faults.clone().check()?;
        details.map(|details| Self { details }).ok_or(faults)
    }
}

/// A request to approve another account, unchecked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ApproveBankChangeInput {
    /// `/bank_change_id`
    pub bank_change_id: Option<String>,
    /// `/bsb`
    pub bsb: Option<String>,
    /// `/account_number`
    pub account_number: Option<String>,
}

/// A valid request to approve another account.
#[derive(Clone, PartialEq, Eq)]
pub struct ApproveBankChange {
    change: BankChangeId,
    bsb: Bsb,
    account: AccountNumber,
}

impl ApproveBankChange {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &ApproveBankChangeInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let change = required(f, "/bank_change_id", raw.bank_change_id.as_deref(), BankChangeId::parse);
        let bsb = required(f, "/bsb", raw.bsb.as_deref(), Bsb::parse);
        let account = required(f, "/account_number", raw.account_number.as_deref(), AccountNumber::parse);
        match (change, bsb, account) {
            (Some(change), Some(bsb), Some(account)) => Ok(Self { change, bsb, account }),
            _ => Err(faults),
        }
    }
}

/// Changes of bank accounts, inside a transaction. The payee is locked before.
pub trait BankChangeRepository {
    /// Keeps a proposal; one of the same payee that waits is replaced.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_bank_change(&mut self, change: &BankChange) -> Result<(), StoreError>;

    /// Locks a change of a payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_bank_change(&mut self, payee: PayeeId, id: BankChangeId) -> Result<Option<BankChange>, StoreError>;

    /// Writes that a change was approved, and its account as the payee's.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_bank_change(&mut self, change: &BankChange, details: Uuid) -> Result<(), StoreError>;
}

/// Changes of bank accounts, to look up.
pub trait BankChangeQueries {
    /// The changes of a payee, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_bank_changes(&mut self, payee: PayeeId, page: &PageRequest) -> Result<Page<BankChange>, StoreError>;
}

/// Proposes another account for a payee.
///
/// # Errors
/// See [`DirectoryError`].
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &ProposeBankChange,
) -> Result<BankChange, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = locked(uow, env, payee)?;
    let change = BankChange {
        id: BankChangeId::new(env.ids.next()),
        payee,
        details: command.details.clone(),
        state: BankChangeState::Proposed,
        proposed_by: env.actor.id,
        proposed_at: env.now,
        approved_by: None,
        approved_at: None,
        usable_from: None,
    };
    uow.bank_changes().insert_bank_change(&change)?;
    service::payee_changed(uow, env, EventKind::PayeeBankChangeProposed, &found)?;
    Ok(change)
}

/// Approves another account for a payee: it is the payee's from now on, and is paid to after the cool-off.
///
/// # Errors
/// See [`DirectoryError`].
pub fn approve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &ApproveBankChange,
) -> Result<Altered<BankChange>, DirectoryError> {
    env.actor.require(Scope::PayoutsApprove)?;
    let found = locked(uow, env, payee)?;
    let before = uow.bank_changes().lock_bank_change(payee, command.change)?.ok_or_else(unknown_change)?;
    let persons = Persons::among(uow, &[before.proposed_by, env.actor.id])?;
    let after = before.clone().approve(env.actor.id, env.now, command, &persons)?;
    uow.bank_changes().update_bank_change(&after, env.ids.next())?;
    let changed = PayeeRecord { version: found.version + 1, ..found };
    uow.directory().update_payee(&changed)?;
    service::payee_changed(uow, env, EventKind::PayeeBankChangeApproved, &changed)?;
    Ok(Altered { before, after })
}

fn locked(uow: &mut dyn UnitOfWork, env: &Env<'_>, payee: PayeeId) -> Result<PayeeRecord, DirectoryError> {
    let found = uow.directory().lock_payee(payee)?.filter(|found| env.actor.acts_for(found.payee.organisation));
    let found = found.ok_or(DirectoryError::NotFound)?;
    if uow.erasures().is_payee_erased(payee)? { Err(DirectoryError::PayeeErased) } else { Ok(found) }
}

fn unknown_change() -> DirectoryError {
    let mut faults = Faults::default();
    faults.push("/bank_change_id", "not_found", "the payee has no such change");
    DirectoryError::Invalid(faults)
}
