//! The API document, held by programs of other people: fuzzed, linted, compared with the versions before it,
//! turned into clients that then do real work.

mod breaking;
mod client;
mod collection;
mod fuzz;
mod gate;
mod lint;
mod live;
mod recipes;
mod required;
mod sdks;
mod tool;
