//! Receives the steps of a calculation; the silent one costs nothing.

use super::TraceStep;
use crate::agreements::model::ComponentKey;

/// Receives the steps.
pub trait Tracer {
    /// Notes one step; the detail is only made when somebody listens.
    fn note(&mut self, component: &ComponentKey, step: &'static str, detail: impl FnOnce() -> String);
}

/// Forgets every step.
pub struct Silent;

impl Tracer for Silent {
    fn note(&mut self, _: &ComponentKey, _: &'static str, _: impl FnOnce() -> String) {}
}

impl Tracer for Vec<TraceStep> {
    fn note(&mut self, component: &ComponentKey, step: &'static str, detail: impl FnOnce() -> String) {
        self.push(TraceStep { component: component.clone(), step, detail: detail() });
    }
}
