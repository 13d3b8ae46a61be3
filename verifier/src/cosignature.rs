//! Cosignatures: a witness says that a checkpoint extends everything it has seen of that log.
//!
//! Source: C2SP `tlog-cosignature`, Ed25519 (type `0x04`, `cosignature/v1`). A line of a signed note whose signature is
//! the time in seconds since 1970 (eight bytes, big-endian) and an Ed25519 signature over `cosignature/v1`, `time N` and
//! the whole text of the note. The time is a claim of the witness. The message does not hold the witness's name, so one
//! key stands for one witness. Times beyond 2^63 − 1 are refused. The type `0x06` (ML-DSA-44) is not known here: its
//! lines are carried along and never judged.

use super::key::PublicKey;
use super::note::{self, Note, NoteError, NoteSignature};
use super::signer::{PortError, Signer};

/// The type of a key that cosigns with Ed25519.
const COSIGNATURE_V1: u8 = 4;
/// Bytes of the time.
const TIME_BYTES: usize = 8;

/// The name of a witness and its public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: PublicKey,
}

impl WitnessKey {
    /// Names a key.
    ///
    /// # Errors
    /// When the name is empty or holds white space or a plus.
    pub fn try_new(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        note::named(name)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// Reads `name+hexadecimal id+base64(0x04 ‖ key)`.
    ///
    /// # Errors
    /// [`NoteError::MalformedKey`], with the reason.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, key) = note::parse_key(text, COSIGNATURE_V1)?;
        Ok(Self { name, key })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The four bytes that name the key in a signature line.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        note::key_id(&self.name, COSIGNATURE_V1, &self.key)
    }

    /// When this witness says that it cosigned the note: the newest of its lines, each of which must be valid.
    /// `None` when it did not cosign.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] when a line that names its key does not verify.
    pub fn cosigned(&self, note: &Note) -> Result<Option<u64>, NoteError> {
        let id = self.id();
        let own = note.signatures().iter().filter(|line| line.name == self.name && line.key_id == id);
        let times = own.map(|line| self.time_of(note.text(), line)).collect::<Result<Vec<u64>, _>>()?;
        Ok(times.into_iter().max())
    }

    /// Judges one line over a text; gives the time that it claims.
    fn time_of(&self, text: &str, line: &NoteSignature) -> Result<u64, NoteError> {
        let bad = || NoteError::BadSignature(self.name.clone());
        let (time, signature) = line.signature.split_first_chunk::<TIME_BYTES>().ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        if i64::try_from(time).is_err() {
            return Err(bad());
        }
        self.key.verify(message(time, text).as_bytes(), signature).map_err(|_| bad())?;
        Ok(time)
    }

    /// Cosigns the text of a note at a time in seconds since 1970.
    ///
    /// # Errors
    /// When the signer fails.
    pub fn cosign(&self, text: &str, time: u64, signer: &dyn Signer) -> Result<NoteSignature, PortError> {
        let signature = signer.sign(message(time, text).as_bytes())?;
        let signature = [&time.to_be_bytes()[..], &signature].concat();
        Ok(NoteSignature { name: self.name.clone(), key_id: self.id(), signature })
    }
}

impl std::fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&note::key_text(&self.name, COSIGNATURE_V1, &self.key))
    }
}

/// What is signed.
fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}
