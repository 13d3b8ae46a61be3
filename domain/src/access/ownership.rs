//! Whose things are: the one place that says who sees a thing and who acts on it. Roles say what somebody may do
//! ([`super::role`]); this says to what.
//!
//! | thing | who sees it, besides who sees everything |
//! |---|---|
//! | vertical, product, run of the guarantees, the log | whoever has the scope: they name nobody ([`REACHES`]) |
//! | agreement for everybody, once a version was approved; its versions once they are in force; the tables that they name | whoever has the scope |
//! | the same of an agreement made for a provider | that provider, and introducers who have deals with it |
//! | deal, its facts, moves and handshakes | its provider, its introducer, its member ([`of_deal`]) |
//! | handshake by which a deal is handed over, its statements and receipt | also those between whom ([`crate::deals::handshake_repository::LockedHandshake::seen_by`]) |
//! | signing key and its events | its party, and whoever sees a statement that they prove |
//! | commission line, also in a calculation, and steps of one that tell its amount | the introducer of who earns it, and who earns it ([`of_line`], [`sees_line`]); the platform's own: nobody |
//! | entry of a deal | its provider and its introducer; it holds everybody's postings, so no member ([`of_deal_entry`]) |
//! | entry of one line | the introducer of who earns it ([`of_line_entry`]) |
//! | entry by which lines become another payee's | the introducer of who earns them, and the organisation of both payees ([`of_assigned`]) |
//! | payout, its entries and its tax papers | the organisation of the payee, and the member whose money alone it is ([`of_payout`]) |
//! | account | whose party it is ([`of_account`]); a payee's, by row-level security, who sees the payee |
//! | contact, member, payee with what it is to the tax office, assignment, import, job, user, API client, key, webhook endpoint and delivery | the organisation that has it ([`of_organisation`]) |
//! | entry by hand | the provider whose account it moves ([`crate::ledger::manual::decide`]) |
//! | payout run and its bank files, returned payments, bank statements, trail run, bank account, payment to the tax office, audit record, simulation, proposal by hand, accounting period, statement of a provider with its lines and exceptions, write-off | nobody else |
//! | event | who sees its subject |
//! | receipt, and the approval in it | who sees what it is of |
//!
//! Invariants: writers take `visible_to` from here, and never extend it later; the policies of row-level security say
//! the same a second time (ADR-15, `tests/walls`). What is foreign is told from what does not exist by nothing.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Actor, Viewer};
use crate::kernel::ids::{
    AccountId, AccountingPeriodId, AgreementId, ApiClientId, ApiClientKeyId, AssignmentId, BankAccountId, BankChangeId,
    BankFileId, BankReturnId, BankStatementId, BankStatementLineId, CalculationId, CohortId, ContactId, DealId,
    DealImportId, EntryId, ErasureId, EventId, ExceptionId, GuaranteeRunId, HandshakeId, HoldId, JobId, LicenceId,
    LookupTableId, ManualEntryId, MemberId, OidcIssuerId, OrganisationId, PayeeId, PayoutId, PayoutRunId, ProductId,
    ProviderStatementId, ProviderStatementLineId, RctiAgreementId, RecoveryPlanId, SigningKeyId, SimulationId,
    TaxDocumentId, TaxRemittanceId, TrailRunId, TransferReversalId, UserId, VerticalId, WebhookDeliveryId,
    WebhookEndpointId, WriteOffId,
};

/// Who may be shown things of a kind, once the scope lets them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Everybody: public reference data, and figures that name nobody.
    Everybody,
    /// Those who take part in it.
    Parties,
    /// The organisation that has it.
    Organisation,
    /// Those who see everything.
    Operator,
}

/// How far things of each kind of id reach. A kind that is missing reaches nobody but those who see everything.
pub const REACHES: &[(&str, Reach)] = &[
    (AgreementId::PREFIX, Reach::Everybody),
    (LookupTableId::PREFIX, Reach::Everybody),
    (VerticalId::PREFIX, Reach::Everybody),
    (ProductId::PREFIX, Reach::Everybody),
    (GuaranteeRunId::PREFIX, Reach::Everybody),
    (DealId::PREFIX, Reach::Parties),
    (HandshakeId::PREFIX, Reach::Parties),
    (EntryId::PREFIX, Reach::Parties),
    (AccountId::PREFIX, Reach::Parties),
    (CalculationId::PREFIX, Reach::Parties),
    (PayoutId::PREFIX, Reach::Parties),
    (HoldId::PREFIX, Reach::Parties),
    (TaxDocumentId::PREFIX, Reach::Parties),
    (EventId::PREFIX, Reach::Parties),
    (SigningKeyId::PREFIX, Reach::Parties),
    (OrganisationId::PREFIX, Reach::Organisation),
    (CohortId::PREFIX, Reach::Organisation),
    (LicenceId::PREFIX, Reach::Organisation),
    (BankChangeId::PREFIX, Reach::Organisation),
    (RctiAgreementId::PREFIX, Reach::Organisation),
    (ContactId::PREFIX, Reach::Organisation),
    (ErasureId::PREFIX, Reach::Organisation),
    (MemberId::PREFIX, Reach::Organisation),
    (PayeeId::PREFIX, Reach::Organisation),
    (RecoveryPlanId::PREFIX, Reach::Organisation),
    (AssignmentId::PREFIX, Reach::Organisation),
    (DealImportId::PREFIX, Reach::Organisation),
    (JobId::PREFIX, Reach::Organisation),
    (UserId::PREFIX, Reach::Organisation),
    (ApiClientId::PREFIX, Reach::Organisation),
    (ApiClientKeyId::PREFIX, Reach::Organisation),
    (OidcIssuerId::PREFIX, Reach::Organisation),
    (WebhookEndpointId::PREFIX, Reach::Organisation),
    (WebhookDeliveryId::PREFIX, Reach::Organisation),
    (PayoutRunId::PREFIX, Reach::Operator),
    (TrailRunId::PREFIX, Reach::Operator),
    (BankAccountId::PREFIX, Reach::Operator),
    (BankFileId::PREFIX, Reach::Operator),
    (BankReturnId::PREFIX, Reach::Operator),
    (BankStatementId::PREFIX, Reach::Operator),
    (BankStatementLineId::PREFIX, Reach::Operator),
    (ManualEntryId::PREFIX, Reach::Operator),
    (AccountingPeriodId::PREFIX, Reach::Operator),
    (TaxRemittanceId::PREFIX, Reach::Operator),
    (SimulationId::PREFIX, Reach::Operator),
    (ProviderStatementId::PREFIX, Reach::Operator),
    (ProviderStatementLineId::PREFIX, Reach::Operator),
    (ExceptionId::PREFIX, Reach::Operator),
    (WriteOffId::PREFIX, Reach::Operator),
    (TransferReversalId::PREFIX, Reach::Operator),
];

/// How far things with this prefix reach.
#[must_use]
pub fn reach(prefix: &str) -> Reach {
    REACHES.iter().find(|(known, _)| *known == prefix).map_or(Reach::Operator, |(_, reach)| *reach)
}

/// Who sees a deal, its facts, its moves, its handshakes.
#[must_use]
pub fn of_deal(provider: OrganisationId, introducer: OrganisationId, member: MemberId) -> Vec<Uuid> {
    vec![provider.uuid(), introducer.uuid(), member.uuid()]
}

/// Who sees an entry of a deal: not the member, since it holds what others get.
#[must_use]
pub fn of_deal_entry(provider: OrganisationId, introducer: OrganisationId) -> [Uuid; 2] {
    [provider.uuid(), introducer.uuid()]
}

/// Who sees a commission line; the platform's own share is nobody else's.
#[must_use]
pub fn of_line(introducer: OrganisationId, earner: Option<MemberId>) -> Vec<Uuid> {
    earner.map_or_else(Vec::new, |member| vec![introducer.uuid(), member.uuid()])
}

/// Whether these eyes see what somebody earns on a deal of this introducer: the same table as [`of_line`], for what is
/// worked out anew and not kept.
#[must_use]
pub fn sees_line(viewer: &Viewer, introducer: OrganisationId, earner: Option<MemberId>) -> bool {
    match viewer {
        Viewer::Everything => true,
        Viewer::Parties(parties) => of_line(introducer, earner).iter().any(|id| parties.contains(id)),
    }
}

/// Who sees an entry about one line, of those who see the line: entries of deals are no member's to see.
#[must_use]
pub fn of_line_entry(line: &[Uuid], earner: Option<MemberId>) -> Vec<Uuid> {
    line.iter().copied().filter(|id| Some(*id) != earner.map(|member| member.uuid())).collect()
}

/// Who sees an entry by which a line becomes another payee's: of those who see the line no member, and the organisation
/// of both payees.
#[must_use]
pub fn of_assigned(line: &[Uuid], earner: Option<MemberId>, organisation: OrganisationId) -> Vec<Uuid> {
    let mut seen = of_line_entry(line, earner);
    seen.push(organisation.uuid());
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// Who sees a payout and what it posts. A payee of several members gets a sum in which each would see the others'.
#[must_use]
pub fn of_payout(organisation: Option<OrganisationId>, earners: impl IntoIterator<Item = MemberId>) -> Vec<Uuid> {
    let earners: BTreeSet<Uuid> = earners.into_iter().map(|member| member.uuid()).collect();
    let alone = earners.len() == 1;
    let mut seen: Vec<Uuid> = earners.into_iter().filter(|_| alone).collect();
    seen.extend(organisation.map(|organisation| organisation.uuid()));
    seen.sort_unstable();
    seen
}

/// Who sees an account: its party, whatever kind of id that is.
#[must_use]
pub fn of_account(parties: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
    parties.into_iter().collect()
}

/// Who sees what an organisation has; what is the operator's own has none.
#[must_use]
pub fn of_organisation(organisation: Option<OrganisationId>) -> Vec<Uuid> {
    organisation.map(|organisation| organisation.uuid()).into_iter().collect()
}

/// Whether it is the actor's: its organisation's, or the operator's own and the actor sees everything.
#[must_use]
pub fn has(actor: &Actor, organisation: Option<OrganisationId>) -> bool {
    organisation.map_or_else(|| actor.sees_everything(), |organisation| actor.acts_for(organisation))
}

/// Whether the actor speaks for a member: it is that member, or acts for its organisation.
#[must_use]
pub fn speaks_for(actor: &Actor, member: MemberId, organisation: OrganisationId) -> bool {
    actor.member == Some(member) || actor.acts_for(organisation)
}

/// How an actor stands to a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It acts for the provider, who sells, accepts and declines.
    Provider,
    /// It acts for the introducer.
    Introducer,
    /// It is the member who referred: it looks on, and signs offers.
    Referrer,
    /// It has nothing to do with it: for this actor the deal does not exist.
    None,
}

/// How the actor stands to a deal of these parties.
#[must_use]
pub fn side(actor: &Actor, provider: OrganisationId, introducer: OrganisationId, member: MemberId) -> Side {
    if actor.acts_for(provider) {
        Side::Provider
    } else if actor.acts_for(introducer) {
        Side::Introducer
    } else if actor.member == Some(member) {
        Side::Referrer
    } else {
        Side::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    fn organisation(n: u128) -> OrganisationId {
        OrganisationId::new(Uuid::from_u128(n))
    }

    fn member(n: u128) -> MemberId {
        MemberId::new(Uuid::from_u128(n))
    }

    fn actor(role: Role, organisation: Option<OrganisationId>, member: Option<MemberId>) -> Actor {
        let scopes = role.scopes().iter().copied().collect();
        Actor { id: Uuid::from_u128(99), roles: [role].into(), scopes, organisation, member }
    }

    #[test]
    fn a_payout_of_several_members_is_none_of_theirs() {
        let house = organisation(1);
        assert_eq!(of_payout(Some(house), [member(5), member(5)]), [house.uuid(), member(5).uuid()]);
        assert_eq!(of_payout(Some(house), [member(5), member(6)]), [house.uuid()]);
    }

    #[test]
    fn the_platforms_share_is_nobodys_and_a_members_line_is_not_the_providers() {
        assert_eq!(of_line(organisation(1), None), Vec::<Uuid>::new());
        let line = of_line(organisation(1), Some(member(5)));
        assert_eq!(line, [organisation(1).uuid(), member(5).uuid()]);
        assert_eq!(of_line_entry(&line, Some(member(5))), [organisation(1).uuid()]);
        let eyes = |id: Uuid| Viewer::Parties(vec![id]);
        assert!(sees_line(&eyes(organisation(1).uuid()), organisation(1), Some(member(5))));
        assert!(sees_line(&eyes(member(5).uuid()), organisation(1), Some(member(5))));
        assert!(sees_line(&Viewer::Everything, organisation(1), None));
        for foreign in [organisation(2).uuid(), member(6).uuid()] {
            assert!(!sees_line(&eyes(foreign), organisation(1), Some(member(5))));
        }
        assert!(!sees_line(&eyes(organisation(1).uuid()), organisation(1), None));
    }

    #[test]
    fn a_member_is_never_its_whole_organisation() {
        let (sells, refers) = (organisation(1), organisation(2));
        let on = |actor: &Actor| side(actor, sells, refers, member(5));
        assert_eq!(on(&actor(Role::PartnerAdmin, Some(sells), None)), Side::Provider);
        assert_eq!(on(&actor(Role::PartnerAgent, Some(refers), None)), Side::Introducer);
        assert_eq!(on(&actor(Role::Member, Some(refers), Some(member(5)))), Side::Referrer);
        assert_eq!(on(&actor(Role::Member, Some(refers), Some(member(6)))), Side::None);
        assert_eq!(on(&actor(Role::PartnerAdmin, Some(organisation(3)), None)), Side::None);
        assert_eq!(on(&actor(Role::Investor, None, None)), Side::None);
        assert!(!has(&actor(Role::Member, Some(refers), Some(member(5))), Some(refers)));
        assert!(!has(&actor(Role::PartnerAdmin, Some(refers), None), None), "the operator's own");
    }
}
