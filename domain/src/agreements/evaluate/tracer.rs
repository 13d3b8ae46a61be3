//! Receives the steps of a calculation; the silent one costs nothing.

use super::TraceStep;
use super::v2::participant;
use crate::agreements::facts::CalculationInput;
use crate::agreements::model::{ComponentKey, Role};

/// Receives the steps.
pub trait Tracer {
    /// Notes a step that tells nobody's amount: facts of the deal, terms of the agreement. The detail is only made
    /// when somebody listens.
    fn note(&mut self, component: &ComponentKey, step: &'static str, detail: impl FnOnce() -> String) {
        self.tell(component, step, Vec::new, detail);
    }

    /// Notes a step that tells what participants in these roles get.
    fn tell(
        &mut self,
        component: &ComponentKey,
        step: &'static str,
        of: impl FnOnce() -> Vec<Role>,
        detail: impl FnOnce() -> String,
    );
}

/// Forgets every step.
pub struct Silent;

impl Tracer for Silent {
    fn tell(&mut self, _: &ComponentKey, _: &'static str, _: impl FnOnce() -> Vec<Role>, _: impl FnOnce() -> String) {}
}

/// Keeps every step.
pub struct Steps<'i> {
    input: &'i CalculationInput<'i>,
    kept: Vec<TraceStep>,
}

impl<'i> Steps<'i> {
    /// Of a calculation.
    #[must_use]
    pub const fn of(input: &'i CalculationInput<'i>) -> Self {
        Self { input, kept: Vec::new() }
    }

    /// In their order.
    #[must_use]
    pub fn into_vec(self) -> Vec<TraceStep> {
        self.kept
    }
}

impl Tracer for Steps<'_> {
    fn tell(
        &mut self,
        component: &ComponentKey,
        step: &'static str,
        of: impl FnOnce() -> Vec<Role>,
        detail: impl FnOnce() -> String,
    ) {
        let of = of().into_iter().map(|role| participant(self.input, role)).collect();
        self.kept.push(TraceStep { component: component.clone(), step, detail: detail(), of });
    }
}
