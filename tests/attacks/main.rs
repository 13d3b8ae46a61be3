//! Attacks that the API document drives: whatever it says can be given is given badly.

mod assignment;
mod raw;
mod strings;
