//! Truth tests: they make the design hold.

mod architecture;
mod authorization;
mod openapi;
