//! A payee's account at Stripe: made once, its state as Stripe last told it.
//!
//! A payee may be paid by Stripe while the capability `transfers` is active and payouts are enabled. State is
//! never taken from the content of an event (events come in any order): the account is asked, and of two answers
//! the one that was asked for later counts.

use super::names::AccountName;
use super::rail::{AccountState, Capability};
use crate::access::{MissingScope, Scope};
use crate::directory::payee::Rail;
use crate::directory::record::PayeeRecord;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::Instant;
use crate::kernel::ids::PayeeId;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// An account as we have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAccount {
    /// Whose.
    pub payee: PayeeId,
    /// Its id, once Stripe has said it.
    pub account: Option<AccountName>,
    /// Whether transfers may go there.
    pub transfers: Capability,
    /// Whether its money gets to its bank.
    pub payouts_enabled: bool,
    /// Why not, in Stripe's words.
    pub disabled_reason: Option<String>,
    /// When Stripe was asked for this.
    pub seen_at: Instant,
}

impl KeptAccount {
    /// One of which nothing is known yet.
    #[must_use]
    pub const fn begun(payee: PayeeId, at: Instant) -> Self {
        Self {
            payee,
            account: None,
            transfers: Capability::Inactive,
            payouts_enabled: false,
            disabled_reason: None,
            seen_at: at,
        }
    }

    /// Whether the payee may be paid there.
    #[must_use]
    pub const fn is_payable(&self) -> bool {
        self.account.is_some() && matches!(self.transfers, Capability::Active) && self.payouts_enabled
    }

    /// The word for how it stands.
    #[must_use]
    pub const fn standing(&self) -> &'static str {
        if self.is_payable() {
            "enabled"
        } else if self.disabled_reason.is_some() {
            "restricted"
        } else {
            "onboarding"
        }
    }

    /// What Stripe said when it was asked at `asked_at`; nothing if something later is known.
    #[must_use]
    pub fn seen(&self, state: &AccountState, asked_at: Instant) -> Option<Self> {
        let same = self.account.as_ref().is_none_or(|account| *account == state.account);
        (same && (self.account.is_none() || asked_at >= self.seen_at)).then(|| Self {
            payee: self.payee,
            account: Some(state.account.clone()),
            transfers: state.transfers,
            payouts_enabled: state.payouts_enabled,
            disabled_reason: state.disabled_reason.clone(),
            seen_at: asked_at,
        })
    }
}

/// Why an account is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnboardingError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is no such payee, or it is not the actor's.
    #[error("there is no such payee")]
    NotFound,
    /// The payee is paid by bank file.
    #[error("this payee is paid by bank file; one that is paid by Stripe has the rail `stripe`")]
    OtherRail,
    /// The payee is erased: nothing new is kept of it.
    #[error("this payee is erased")]
    Erased,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for OnboardingError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_) | Self::NotFound | Self::OtherRail | Self::Erased => None,
        }
    }
}

/// What is to be asked of Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onboarding {
    /// To make an account.
    ToMake(PayeeId),
    /// A link for this one.
    Kept(KeptAccount),
}

fn mine(uow: &mut dyn UnitOfWork, env: &Env<'_>, payee: PayeeId) -> Result<PayeeRecord, OnboardingError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = uow.directory().lock_payee(payee)?.filter(|found| env.actor.acts_for(found.payee.organisation));
    found.ok_or(OnboardingError::NotFound)
}

/// Says what is to be asked of Stripe, and keeps that it is.
///
/// # Errors
/// See [`OnboardingError`].
pub fn begin(uow: &mut dyn UnitOfWork, env: &Env<'_>, payee: PayeeId) -> Result<Onboarding, OnboardingError> {
    let found = mine(uow, env, payee)?;
    if found.payee.rail != Rail::Stripe {
        return Err(OnboardingError::OtherRail);
    }
    if uow.erasures().is_payee_erased(payee)? {
        return Err(OnboardingError::Erased);
    }
    match uow.stripe().lock_account(payee)? {
        Some(kept) if kept.account.is_some() => Ok(Onboarding::Kept(kept)),
        Some(_) => Ok(Onboarding::ToMake(payee)),
        None => {
            uow.stripe().insert_account(&KeptAccount::begun(payee, env.now))?;
            Ok(Onboarding::ToMake(payee))
        }
    }
}

/// Keeps what Stripe said of a payee's account when it was asked at `asked_at`. Said again, it changes nothing; of a
/// payee that is erased nothing is kept.
///
/// # Errors
/// `stripe_account_taken` when another payee has the account.
pub fn keep(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    state: &AccountState,
    asked_at: Instant,
) -> Result<Option<KeptAccount>, StoreError> {
    // In this order everywhere: the payee, then its account.
    let record = uow.directory().lock_payee(payee)?;
    let Some(before) = uow.stripe().lock_account(payee)? else { return Ok(None) };
    if uow.erasures().is_payee_erased(payee)? {
        return Ok(Some(before));
    }
    let Some(after) = before.seen(state, asked_at) else { return Ok(Some(before)) };
    uow.stripe().update_account(&after)?;
    let changed = before.account != after.account
        || (before.is_payable(), before.standing()) != (after.is_payable(), after.standing());
    if changed && let Some(record) = record {
        let members = record.members.iter().map(|(member, _)| member.uuid());
        let seen: Vec<uuid::Uuid> = std::iter::once(record.payee.organisation.uuid()).chain(members).collect();
        record_changed(uow, env, EventKind::PayeeUpdated, (&payee, payee.uuid()), Some(record.version), &seen)?;
    }
    Ok(Some(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(transfers: Capability, payouts_enabled: bool) -> AccountState {
        let account = AccountName::parse("acct_1").expect("a name");
        AccountState { account, transfers, payouts_enabled, disabled_reason: None }
    }

    fn at(second: i64) -> Instant {
        Instant::new(jiff::Timestamp::from_second(second).expect("a second"))
    }

    #[test]
    fn a_payee_is_payable_when_transfers_are_active_and_payouts_enabled() {
        let begun = KeptAccount::begun(PayeeId::new(uuid::Uuid::from_u128(1)), at(0));
        for (transfers, payouts, payable) in [
            (Capability::Active, true, true),
            (Capability::Active, false, false),
            (Capability::Pending, true, false),
            (Capability::Inactive, true, false),
        ] {
            let seen = begun.seen(&state(transfers, payouts), at(1)).expect("news");
            assert_eq!(seen.is_payable(), payable);
        }
        assert!(!begun.is_payable());
    }

    #[test]
    fn of_two_answers_the_one_that_was_asked_for_later_counts() {
        let begun = KeptAccount::begun(PayeeId::new(uuid::Uuid::from_u128(1)), at(0));
        let enabled = begun.seen(&state(Capability::Active, true), at(5)).expect("news");
        assert_eq!(enabled.seen(&state(Capability::Inactive, false), at(4)), None);
        assert!(!enabled.seen(&state(Capability::Inactive, false), at(6)).expect("news").is_payable());
    }
}
