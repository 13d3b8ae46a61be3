//! The versions of a simulation, out of the store.

use super::SimulationError;
use super::scenario::{Candidate, Scenarios};
use crate::access::Viewer;
use crate::agreements::VersionContent;
use crate::agreements::in_force::Published;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::VerticalCode;
use crate::kernel::ids::AgreementId;
use crate::store::{Store, StoreError};

/// What might govern, by its content.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What it is called in the report.
    pub name: String,
    /// What it says.
    pub content: VersionContent,
}

/// The versions that deals are governed by, and the candidates beside them. A candidate continues the agreement of its
/// vertical: it names the same tables.
///
/// # Errors
/// See [`Scenarios::try_new`]; the failure of the store.
pub fn gather(store: &dyn Store, proposals: Vec<Proposal>) -> Result<Scenarios, SimulationError> {
    let mut verticals = store.read(&Viewer::Everything, |queries| queries.simulations().list_sold())?;
    verticals.extend(proposals.iter().map(|proposal| proposal.content.vertical));
    verticals.sort_unstable();
    verticals.dedup();
    let active = store.transaction(|uow| {
        let versions =
            |vertical: &VerticalCode| Ok((*vertical, newest_first(uow.agreements().list_published(*vertical)?)));
        verticals.iter().map(versions).collect::<Result<Vec<_>, StoreError>>()
    })?;
    scenarios(active, proposals)
}

/// Versions as a deal looks for its own: those for everybody that are not retired, the newest first; behind them those
/// that only a deal that is sealed under them finds.
#[must_use]
pub fn newest_first(mut published: Vec<Published>) -> Vec<GoverningVersion> {
    published.sort_by_key(|one| {
        let aside = one.provider.is_some() || one.retired_on.is_some();
        (aside, std::cmp::Reverse(one.version.number()), one.version.agreement())
    });
    published.into_iter().map(|one| one.version).collect()
}

/// The same of versions that are at hand.
///
/// # Errors
/// See [`Scenarios::try_new`].
pub fn scenarios(
    active: Vec<(VerticalCode, Vec<GoverningVersion>)>,
    proposals: Vec<Proposal>,
) -> Result<Scenarios, SimulationError> {
    let candidates = proposals.into_iter().map(|Proposal { name, content }| {
        let versions = active.iter().find(|(vertical, _)| *vertical == content.vertical);
        let newest = versions.and_then(|(_, versions)| versions.first());
        let agreement = newest.map_or(AgreementId::new(uuid::Uuid::nil()), GoverningVersion::agreement);
        let number = newest.map_or(1, |version| version.number().saturating_add(1));
        let tables = versions.iter().flat_map(|(_, versions)| versions).flat_map(|version| version.tables().to_vec());
        let version = GoverningVersion::with_tables(agreement, number, content, tables.collect())?;
        Ok(Candidate { name, version })
    });
    let candidates = candidates.collect::<Result<Vec<_>, SimulationError>>()?;
    Scenarios::try_new(active, candidates)
}
