//! Signed notes and verifier keys.
//!
//! Source: C2SP `signed-note`, Ed25519 signatures (type `0x01`). A note is a text ending in a newline,
//! a blank line, and signature lines `— name base64(key id ‖ signature)`. The key id is the first four
//! bytes of SHA-256(name ‖ "\n" ‖ 0x01 ‖ public key). Bounds: 1 MB, 100 signatures.
//! Signatures by unknown keys are carried along and never judged.

use super::encoding::{b64, from_b64};
use super::key::PublicKey;
use super::signer::{PortError, Signer};
use crate::digest::Digest;

const ED25519: u8 = 1;
const MAX_NOTE_BYTES: usize = 1_000_000;
const MAX_SIGNATURES: usize = 100;

/// Why a note or a verifier key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// Not `name+id+key`.
    #[error("not a verifier key: {0}")]
    MalformedKey(&'static str),
    /// No signature by the trusted key.
    #[error("the note is not signed by {0}")]
    NotSigned(String),
    /// A signature that claims the trusted key and does not verify.
    #[error("the signature by {0} is not valid")]
    BadSignature(String),
    /// The signer failed.
    #[error("cannot sign: {0}")]
    Signer(#[from] PortError),
}

/// The name of a key and its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

/// Whether a text can name a key: not empty, no white space, no plus.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// Refuses a text that cannot name a key.
pub(super) fn named(name: &str) -> Result<(), NoteError> {
    if is_name(name) {
        Ok(())
    } else {
        Err(NoteError::MalformedKey("the name is empty or holds white space or a plus"))
    }
}

/// The four bytes that name a key of a type.
pub(super) fn key_id(name: &str, kind: u8, key: &PublicKey) -> [u8; 4] {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[kind], &key.bytes()]);
    let [a, b, c, d, ..] = *digest.bytes();
    [a, b, c, d]
}

/// `name+hexadecimal id+base64(type ‖ key)`.
pub(super) fn key_text(name: &str, kind: u8, key: &PublicKey) -> String {
    let bytes = [&[kind][..], &key.bytes()].concat();
    format!("{name}+{}+{}", hex::encode(key_id(name, kind, key)), b64(&bytes))
}

/// Reads what [`key_text`] writes, of one type.
pub(super) fn parse_key(text: &str, kind: u8) -> Result<(String, PublicKey), NoteError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::MalformedKey("expected name+id+key"));
    };
    let bytes = from_b64(key).ok_or(NoteError::MalformedKey("the key is not base64"))?;
    let Some((_, bytes)) = bytes.split_first().filter(|(found, _)| **found == kind) else {
        return Err(NoteError::MalformedKey(match kind {
            ED25519 => "the key is not of type Ed25519",
            _ => "the key is not of the type of an Ed25519 cosignature",
        }));
    };
    let key = PublicKey::parse(bytes).map_err(|_| NoteError::MalformedKey("the key breaks the key policy"))?;
    named(name)?;
    if hex::encode(key_id(name, kind, &key)) == id {
        Ok((name.to_owned(), key))
    } else {
        Err(NoteError::MalformedKey("the id is of another key"))
    }
}

impl VerifierKey {
    /// Names a key.
    ///
    /// # Errors
    /// When the name is empty or holds white space or a plus.
    pub fn try_new(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        named(name)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// Reads `name+hexadecimal id+base64(type ‖ key)`.
    ///
    /// # Errors
    /// [`NoteError::MalformedKey`], with the reason.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, key) = parse_key(text, ED25519)?;
        Ok(Self { name, key })
    }

    /// The name: for a log, its origin.
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
        key_id(&self.name, ED25519, &self.key)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&key_text(&self.name, ED25519, &self.key))
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// Its id.
    pub key_id: [u8; 4],
    /// What follows the id: 64 bytes for Ed25519, more for a cosignature.
    pub signature: Vec<u8>,
}

/// A note whose signatures have not been judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError::Malformed`], with the reason.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed("longer than 1 MB"));
        }
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Malformed("holds a control character"));
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed("no blank line before the signatures"))?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed("no newline at the end"))?;
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(NoteError::Malformed("a signature line is malformed"))?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("more than 100 signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Signs a text, which must end in a newline, under the name of the key.
    ///
    /// # Errors
    /// When the text or name cannot be in a note, or the signer fails.
    pub fn sign(text: &str, name: &str, signer: &dyn Signer) -> Result<Self, NoteError> {
        let verifier = VerifierKey::try_new(name, signer.public_key())?;
        let signature = signer.sign(text.as_bytes())?.to_vec();
        let line = NoteSignature { name: name.to_owned(), key_id: verifier.id(), signature };
        let note = Self { text: text.to_owned(), signatures: vec![line] };
        // The text must read back as itself, or the signature would be of another note.
        if Self::parse(&note.to_string())? == note { Ok(note) } else { Err(NoteError::Malformed("the text")) }
    }

    /// The text, its last newline included: what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line, e.g. a witness's.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures.push(signature);
    }

    /// Checks that the key signed the text. Every line that names the key must verify.
    ///
    /// # Errors
    /// When there is no such line, or one that does not verify.
    pub fn verify(&self, verifier: &VerifierKey) -> Result<(), NoteError> {
        let id = verifier.id();
        let mut signed = false;
        for line in self.signatures.iter().filter(|line| line.name == verifier.name && line.key_id == id) {
            let verified = verifier.key.verify(self.text.as_bytes(), &line.signature);
            verified.map_err(|_| NoteError::BadSignature(verifier.name.clone()))?;
            signed = true;
        }
        if signed { Ok(()) } else { Err(NoteError::NotSigned(verifier.name.clone())) }
    }
}

impl NoteSignature {
    /// Reads `— name base64`, without the newline.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = from_b64(encoded)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        let known = is_name(name) && !signature.is_empty();
        known.then(|| Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        write!(f, "\u{2014} {} {}", self.name, b64(&bytes))
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
