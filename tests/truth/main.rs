//! Truth tests: they make the design hold.

mod architecture;
mod asking;
mod authorization;
mod openapi;
