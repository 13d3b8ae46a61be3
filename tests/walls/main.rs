//! The second wall, with the first one out of the way; and attacks that the API document drives.

mod eyes;
mod grants;
mod rows;
mod sentences;
