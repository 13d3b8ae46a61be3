//! The job of a simulation that is cancelled, or whose process ends, while it is done.

use domain::access::{Actor, Role, Viewer};
use domain::env::{Env, Surroundings};
use domain::jobs::{JobState, work_one};
use domain::kernel::ids::SimulationId;
use domain::simulation::asked::{CreateSimulation, SimulationInput};
use domain::simulation::service;
use domain::simulation::work::SimulationHandler;
use domain::store::{Queries, Store, StoreError, UnitOfWork, Verdict};
use harness::platform::Platform;

use super::imported;

fn administrator() -> Actor {
    let scopes = Role::OperatorAdmin.scopes().iter().copied().collect();
    let id = uuid::Uuid::from_u128(77);
    Actor { id, roles: [Role::OperatorAdmin].into(), scopes, organisation: None, member: None }
}

fn created(platform: &Platform) -> SimulationId {
    let command = CreateSimulation::parse(&SimulationInput::default()).expect("valid");
    let actor = administrator();
    let env = Env { actor: &actor, ..platform.env() };
    let (id, _) = platform.store().transaction(|uow| service::create(uow, &env, &command)).expect("kept");
    id
}

fn state(platform: &Platform, id: SimulationId) -> JobState {
    let found = platform.store().read(&Viewer::Everything, |queries| queries.simulations().find(id));
    found.expect("the store answers").expect("it is there").state
}

/// Cancels the simulation when its deals begin to be read: its job is claimed then.
struct Cancelling<'p> {
    platform: &'p Platform,
    simulation: SimulationId,
}

impl Store for Cancelling<'_> {
    fn attempt(&self, work: &mut dyn FnMut(&mut dyn UnitOfWork) -> Verdict) -> Result<(), StoreError> {
        self.platform.store().attempt(work)
    }

    fn look(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.platform.store().look(viewer, work)
    }

    fn look_at_snapshot(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let actor = administrator();
        let env = Env { actor: &actor, ..self.platform.env() };
        assert_eq!(state(self.platform, self.simulation), JobState::Running);
        let cancelled = self.platform.store().transaction(|uow| service::cancel(uow, &env, self.simulation));
        assert_eq!(cancelled.expect("it is cancelled").after.state, JobState::Cancelled);
        self.platform.store().look_at_snapshot(viewer, work)
    }
}

#[test]
fn one_that_is_cancelled_while_it_is_done_stops_and_keeps_nothing() {
    let platform = imported();
    let simulation = created(&platform);
    let store = Cancelling { platform: &platform, simulation };
    let worked = work_one(&store, &platform, &[&SimulationHandler { threads: 2 }]).expect("the store answers");
    assert!(worked.is_some());
    assert_eq!(state(&platform, simulation), JobState::Cancelled);
    assert_eq!(
        platform.number("select (select count(*) from simulation_report) + (select count(*) from simulation_change)"),
        0
    );
}

/// A process that is about to end.
struct Ending<'p>(&'p Platform);

impl Surroundings for Ending<'_> {
    fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        Env { actor, ..self.0.env() }
    }

    fn is_ending(&self) -> bool {
        true
    }
}

#[test]
fn one_whose_process_ends_is_done_by_the_next() {
    let platform = imported();
    let simulation = created(&platform);
    let handler = SimulationHandler { threads: 2 };
    let _ = work_one(platform.store(), &Ending(&platform), &[&handler]).expect("the store answers");
    assert_eq!(state(&platform, simulation), JobState::Queued);
    let _ = work_one(platform.store(), &platform, &[&handler]).expect("the store answers");
    assert_eq!(state(&platform, simulation), JobState::Succeeded);
    assert_eq!(platform.number("select count(*) from simulation_report"), 1);
}
