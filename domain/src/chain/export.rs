//! The export: what the leaves of the log commit to, for an auditor, as lines of JSON.
//!
//! The first line is the head: the log, its newest signed checkpoint and its size. Then each leaf in the order of its
//! index, with the exact bytes that it commits to: the envelope of a statement, the canonical bytes of an entry of the
//! ledger or of the statement of a tax paper, the signed report of a run of the guarantees. An envelope that is erased is left out, and said to be; the line
//! of an erasure names the leaves that it is about. Then what the log does not say itself: entries of the ledger without a
//! leaf (there should be none), erasures that are younger than the checkpoint. The last line tells the number of leaves, so
//! that an export that was cut off is noticed. Only its envelopes are signed: the audit believes nothing else
//! ([`super::audit`]). Bounds: [`BATCH`] leaves, or [`ERASURES`] erasures, are in memory at a time; a line has at most [`MAX_LINE_BYTES`].

use serde::{Deserialize, Serialize};

use super::leaf::Leaf;
use super::mirror;
use super::published::ChainQueries;
use super::signer::PortError;
use crate::access::{Actor, MissingScope, Scope, ownership};
use crate::kernel::Digest;
use crate::kernel::ids::ErasureId;
use crate::store::StoreError;

/// `type` of every export.
pub const TYPE: &str = "flip360_export";
/// The version of every export so far.
pub const VERSION: u8 = 1;
/// Leaves that are read at once.
pub const BATCH: u64 = 1_000;
/// The longest line: an envelope in which every byte is escaped, its leaf, and the rest.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Entries without a leaf that are told; any is too many.
const UNLOGGED: u32 = 1_000;
/// Erasures younger than the checkpoint that are read at once: each brings the leaves that it is about.
pub const ERASURES: u32 = 100;

/// A line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// What it is an export of.
    Head {
        /// The newest signed checkpoint.
        checkpoint: String,
        /// The origin of the log.
        log: String,
        /// Leaves.
        size: u64,
        /// [`TYPE`].
        r#type: String,
        /// [`VERSION`].
        v: u8,
    },
    /// A leaf and what it commits to.
    Leaf {
        /// The exact bytes that it commits to, while they are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        envelope: Option<String>,
        /// Whether they are erased.
        #[serde(default, skip_serializing_if = "is_false")]
        erased: bool,
        /// Of an erasure: the leaves that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        erases: Option<Vec<u64>>,
        /// Its index.
        index: u64,
        /// The exact bytes of the leaf.
        leaf: String,
    },
    /// An entry of the ledger that has no leaf.
    Unlogged {
        /// Its canonical bytes.
        entry: String,
    },
    /// An erasure that is younger than the checkpoint.
    Erasure {
        /// The commitments of all leaves that it is about.
        commitments: Vec<Digest>,
        /// Its envelope.
        envelope: String,
        /// The indexes of those that are below the checkpoint.
        erases: Vec<u64>,
    },
    /// The end.
    End {
        /// Leaves.
        leaves: u64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// In words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }
}

/// Where the lines of an export come from.
pub trait ExportLines {
    /// The next line without its line feed; `None` after the last.
    ///
    /// # Errors
    /// When it cannot be read.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, PortError>;
}

/// A leaf as it is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedLeaf {
    /// Its index.
    pub index: u64,
    /// Its bytes.
    pub leaf: Vec<u8>,
    /// What it commits to.
    pub envelope: Option<Vec<u8>>,
    /// Whether an erasure took that away.
    pub erased: bool,
    /// Of an erasure: the leaves that it is about.
    pub erases: Option<Vec<u64>>,
}

/// An erasure whose leaf is younger than the checkpoint of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YoungerErasure {
    /// Its id.
    pub id: ErasureId,
    /// Its statement.
    pub envelope: Vec<u8>,
    /// The bytes of the leaves that it is about.
    pub leaves: Vec<Vec<u8>>,
    /// The indexes of those that are below the checkpoint.
    pub erases: Vec<u64>,
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Nothing is written yet.
    Head,
    /// The leaves from there on are to come.
    Leaves {
        /// The next index.
        from: u64,
        /// Leaves in all.
        size: u64,
    },
    /// The last lines are to come.
    Tail {
        /// Leaves in all.
        size: u64,
    },
    /// Of the last lines, those of erasures after this one are to come.
    Younger {
        /// The last that was told.
        after: ErasureId,
        /// Leaves in all.
        size: u64,
    },
}

/// Why there is no export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportRefusal {
    /// A scope is missing.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// Only for those who see everything.
    #[error("an export is for those who see everything")]
    Hidden,
}

/// Lets those export who see everything.
///
/// # Errors
/// See [`ExportRefusal`].
pub fn whole(actor: &Actor) -> Result<(), ExportRefusal> {
    actor.require(Scope::ChainExport)?;
    if ownership::has(actor, None) { Ok(()) } else { Err(ExportRefusal::Hidden) }
}

/// The next lines of an export and where it stands then; `None` when nothing was signed yet.
///
/// # Errors
/// The failure of the store.
pub fn piece(chain: &mut dyn ChainQueries, at: At) -> Result<Option<(Vec<u8>, Option<At>)>, StoreError> {
    let mut bytes = Vec::new();
    let next = match at {
        At::Head => {
            let Some(note) = chain.find_newest_note()? else { return Ok(None) };
            let log = mirror::origin_of(&note.note).ok_or_else(|| unwritable("the newest checkpoint does not read"))?;
            let size = note.size;
            write(&mut bytes, &Line::Head { checkpoint: note.note, log, size, r#type: TYPE.to_owned(), v: VERSION })?;
            // No piece is empty: that would be taken for the end.
            Some(if size == 0 { At::Tail { size } } else { At::Leaves { from: 0, size } })
        }
        At::Leaves { from, size } => {
            let to = size.min(from + BATCH);
            for leaf in chain.export_leaves(from, to)? {
                write(&mut bytes, &told(leaf))?;
            }
            Some(if to < size { At::Leaves { from: to, size } } else { At::Tail { size } })
        }
        At::Tail { size } => {
            for entry in chain.list_unlogged(UNLOGGED)? {
                write(&mut bytes, &Line::Unlogged { entry: text(entry) })?;
            }
            younger(chain, &mut bytes, size, None)?
        }
        At::Younger { after, size } => younger(chain, &mut bytes, size, Some(after))?,
    };
    Ok(Some((bytes, next)))
}

/// Erasures that are younger than the checkpoint, and the end once all of them are told.
fn younger(
    chain: &mut dyn ChainQueries,
    bytes: &mut Vec<u8>,
    size: u64,
    after: Option<ErasureId>,
) -> Result<Option<At>, StoreError> {
    let erasures = chain.list_younger_erasures(size, after, ERASURES)?;
    let last = erasures.last().map(|erasure| erasure.id);
    let more = erasures.len() == ERASURES as usize;
    for YoungerErasure { envelope, leaves, erases, .. } in erasures {
        let commitments = leaves.iter().filter_map(|leaf| Leaf::parse(leaf).ok()).map(|leaf| leaf.commitment);
        write(bytes, &Line::Erasure { commitments: commitments.collect(), envelope: text(envelope), erases })?;
    }
    match last.filter(|_| more) {
        Some(after) => Ok(Some(At::Younger { after, size })),
        None => write(bytes, &Line::End { leaves: size }).map(|()| None),
    }
}

fn told(leaf: ExportedLeaf) -> Line {
    Line::Leaf {
        envelope: leaf.envelope.map(text),
        erased: leaf.erased,
        erases: leaf.erases,
        index: leaf.index,
        leaf: text(leaf.leaf),
    }
}

/// What is damaged is exported as well as it can be: the audit says what is wrong with it.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn write(bytes: &mut Vec<u8>, line: &Line) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *bytes, line).map_err(|error| unwritable(&error.to_string()))?;
    bytes.push(b'\n');
    Ok(())
}

fn unwritable(what: &str) -> StoreError {
    StoreError::Failed(format!("the log cannot be exported: {what}"))
}
