//! The second wall, with the first one out of the way; and attacks that the API document drives.

mod eyes;
mod filters;
mod grants;
mod rows;
mod sentences;
