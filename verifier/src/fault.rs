//! What is wrong with an input, field by field.
//!
//! A parser collects every fault before it refuses, so that a caller can mend all of them at once.
//! Pointers are RFC 6901.

/// One invalid field: where, which rule, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// RFC 6901 pointer into the request, e.g. `/bank_account/bsb`.
    pub pointer: String,
    /// A stable, machine-readable reason in `snake_case`.
    pub code: &'static str,
    /// What is wrong, for a person.
    pub detail: String,
}

/// Every fault that a parser found; never empty when returned as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Records one fault.
    pub fn push(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.0.push(Fault { pointer: pointer.into(), code, detail: detail.into() });
    }

    /// Keeps the value of a parse, or records why there is none.
    pub fn keep<T, E: Reason>(&mut self, pointer: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(reason) => {
                self.push(pointer, reason.code(), reason.to_string());
                None
            }
        }
    }

    /// `Ok` when nothing was found.
    pub fn check(self) -> Result<(), Faults> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

/// An error of one value, with the code that a caller can match on.
pub trait Reason: std::fmt::Display {
    /// A stable, machine-readable reason in `snake_case`.
    fn code(&self) -> &'static str;
}
