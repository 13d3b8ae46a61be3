//! The API document, held by programs of other people: fuzzed, linted, compared with the last one that was
//! released, turned into clients that then do real work.

mod fuzz;
mod tool;
