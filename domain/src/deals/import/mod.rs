//! Imports: a partner's export goes in; deals, faults by line and a report come out.
//!
//! `receive` takes the file in chunks while it streams in; the job then works in three steps, each in
//! batches that are one transaction: `stage` reads rows from the chunks, tells faults and notes which
//! row of each reference counts (the last valid one); `apply` records what counts; `work` brings them together and ends with a
//! report. Killed anywhere, the job goes on where its last batch ended, and importing the same file
//! again changes nothing. Memory: one chunk, one record and one batch, whatever the size of the file.

pub mod apply;
pub mod file;
mod ndjson;
mod reader;
pub mod receive;
pub mod repository;
mod row;
pub mod stage;
pub mod work;

pub use file::{DealImport, FileFault, ImportCounts, ImportFormat, ImportState};
pub use reader::{COLUMNS, ImportReader, ImportRow, MAX_RECORD_BYTES, MEASURE_COLUMNS};
pub use row::{DealRow, RowFault};
