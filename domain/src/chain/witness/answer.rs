//! What a witness says to a submitted checkpoint, as the log reads it.
//!
//! Source: C2SP `tlog-witness`. Lines of keys that are not the witness's own are not looked at; one that is and does not
//! verify counts as no answer. Bound: [`MAX_BYTES`] of an answer are read.

use super::super::cosignature::WitnessKey;
use super::super::note::{Note, NoteSignature};
use super::submission::decimal;

/// The longest answer that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// The media type of a size.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It cosigned.
    Cosigned {
        /// The line, as it is joined to the note.
        line: NoteSignature,
        /// When by its own account, in seconds since 1970.
        time: u64,
    },
    /// It cosigned a tree of this size last, and not of the size that the log named; or, of the same size, another tree.
    Has(u64),
    /// The proof does not lead from the tree that it cosigned to the one that it was shown.
    Refuses,
    /// Nothing that helps: a stable word that says why.
    Failed(&'static str),
}

/// Reads an answer to a checkpoint.
#[must_use]
pub fn read(witness: &WitnessKey, checkpoint: &Note, reply: &Reply) -> Told {
    match reply.status {
        200 => cosigned(witness, checkpoint, &reply.body),
        409 => size(reply).map_or(Told::Failed("size_unreadable"), Told::Has),
        422 => Told::Refuses,
        400 => Told::Failed("request_refused"),
        403 => Told::Failed("key_unknown"),
        404 => Told::Failed("log_unknown"),
        413 => Told::Failed("request_too_large"),
        429 => Told::Failed("rate_limited"),
        500..=599 => Told::Failed("witness_failed"),
        _ => Told::Failed("status_unexpected"),
    }
}

fn cosigned(witness: &WitnessKey, checkpoint: &Note, body: &[u8]) -> Told {
    let lines = std::str::from_utf8(body).ok().and_then(|text| text.strip_suffix('\n'));
    let lines = lines.and_then(|text| text.split('\n').map(NoteSignature::parse).collect::<Option<Vec<_>>>());
    let Some(lines) = lines else { return Told::Failed("cosignature_unreadable") };
    let mut newest = None;
    for line in lines.into_iter().filter(|line| line.name == witness.name() && line.key_id == witness.id()) {
        let Ok(mut alone) = Note::parse(&checkpoint.to_string()) else { return Told::Failed("cosignature_unreadable") };
        alone.add(line.clone());
        match witness.cosigned(&alone) {
            Ok(Some(time)) if newest.as_ref().is_none_or(|(_, before)| *before < time) => newest = Some((line, time)),
            Ok(_) => {}
            Err(_) => return Told::Failed("cosignature_invalid"),
        }
    }
    newest.map_or(Told::Failed("cosignature_missing"), |(line, time)| Told::Cosigned { line, time })
}

fn size(reply: &Reply) -> Option<u64> {
    let kind = reply.content_type.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(&reply.body).ok()?.strip_suffix('\n')?;
    decimal(text).filter(|_| kind.eq_ignore_ascii_case(SIZE_TYPE))
}
