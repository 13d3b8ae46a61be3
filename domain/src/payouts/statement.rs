//! The statement of a member: what was earned and taken back, line by line, and where it lies now.
//!
//! Invariant: for lines and totals, earned − clawed back = suspense + accrued + held + available + in
//! transit + paid + set off − recoverable. Bounds: a page of lines, the newest [`PAYOUTS`] payouts.

use jiff::civil::Date;

use super::repository::PayoutRecord;
use crate::access::{Actor, Scope, ownership};
use crate::kernel::ids::{DealId, LineId, MemberId, OrganisationId, PayeeId};
use crate::kernel::{Page, PageRequest};
use crate::ledger::line::Buckets;
use crate::store::StoreError;

/// Payouts on a statement, at most.
pub const PAYOUTS: u16 = 200;

/// The member of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStanding {
    /// The member.
    pub id: MemberId,
    /// Whose member it is.
    pub organisation: OrganisationId,
    /// What the organisation calls it.
    pub member_ref: String,
    /// Who is paid for what it earns now.
    pub payee: Option<PayeeId>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The line.
    pub id: LineId,
    /// The deal.
    pub deal: DealId,
    /// What the source calls the deal.
    pub external_ref: Option<String>,
    /// The component of the agreement.
    pub component: String,
    /// `member` or `upline`.
    pub role: String,
    /// Who is paid; none means that it lies in suspense.
    pub payee: Option<PayeeId>,
    /// From when it may be paid.
    pub payable_on: Date,
    /// Earned, in cents.
    pub earned_minor: i64,
    /// Taken back, in cents, positive.
    pub clawed_back_minor: i64,
    /// Where it lies.
    pub buckets: Buckets,
}

/// The sums over all lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementTotals {
    /// Lines.
    pub lines: i64,
    /// Earned, in cents.
    pub earned_minor: i64,
    /// Taken back, in cents, positive.
    pub clawed_back_minor: i64,
    /// Where it lies.
    pub buckets: Buckets,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStatement {
    /// Whose it is.
    pub member: MemberStanding,
    /// The sums over all lines.
    pub totals: StatementTotals,
    /// A page of lines.
    pub lines: Page<StatementLine>,
    /// The newest payouts, each with what it paid of this member's lines.
    pub payouts: Vec<(PayoutRecord, i64)>,
}

/// Draws up a statement for whoever may see it: the member, its organisation, and those who see
/// everything. `None` for everybody else. The scope is checked by the caller's [`allowed`].
///
/// # Errors
/// The failure of the store.
pub fn of_member(
    queries: &mut dyn StatementQueries,
    actor: &Actor,
    member: MemberId,
    page: &PageRequest,
) -> Result<Option<MemberStatement>, StoreError> {
    let Some(standing) = queries.find_statement_member(member)? else { return Ok(None) };
    if !ownership::speaks_for(actor, member, standing.organisation) {
        return Ok(None);
    }
    Ok(Some(MemberStatement {
        totals: queries.statement_totals(member)?,
        lines: queries.statement_lines(member, page)?,
        payouts: queries.statement_payouts(member, PAYOUTS)?,
        member: standing,
    }))
}

/// Whether the actor may ask for statements at all.
///
/// # Errors
/// The missing scope.
pub fn allowed(actor: &Actor) -> Result<(), crate::access::MissingScope> {
    actor.require(Scope::PayoutsRead)
}

/// What statements are drawn from.
pub trait StatementQueries {
    /// A member, for its statement.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_statement_member(&mut self, id: MemberId) -> Result<Option<MemberStanding>, StoreError>;

    /// The sums over all lines of a member.
    ///
    /// # Errors
    /// The failure of the store.
    fn statement_totals(&mut self, member: MemberId) -> Result<StatementTotals, StoreError>;

    /// The lines of a member, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn statement_lines(&mut self, member: MemberId, page: &PageRequest) -> Result<Page<StatementLine>, StoreError>;

    /// The newest payouts that paid lines of a member, with what each paid of them in cents.
    ///
    /// # Errors
    /// The failure of the store.
    fn statement_payouts(&mut self, member: MemberId, limit: u16) -> Result<Vec<(PayoutRecord, i64)>, StoreError>;
}
