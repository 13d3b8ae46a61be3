//! The outside world behind the domain's ports.

pub mod clock;
pub mod password;
