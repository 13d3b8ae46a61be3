//! Marks cursors of lists: HMAC-SHA256, cut to its first 16 bytes, over what a cursor is about and the key of
//! a row. Who has not been given a cursor cannot make one, and one that was given serves nothing else.
//!
//! The key is derived as that of [`crate::sealing`] is, from a signature that leaves the process nowhere:
//! every process of a service takes the cursors of every other, also after a restart.

use domain::chain::signer::{PortError, Signer};
use domain::kernel::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const CONTEXT: &[u8] = b"flip360/cursor/v1";
const MARK_BYTES: usize = 16;

/// Writes and reads cursors.
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// Under the key of a signer.
    ///
    /// # Errors
    /// When the key is out of reach.
    pub fn of(signer: &dyn Signer) -> Result<Self, PortError> {
        let derived = Digest::of_parts(&[CONTEXT, b"\0", &signer.sign(CONTEXT)?]);
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        key[..32].copy_from_slice(derived.bytes());
        Ok(Self(Hmac::<Sha256>::new(&key)))
    }

    fn over(&self, about: &Digest, key: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(about.bytes());
        mac.update(key);
        mac
    }

    /// The key of a row with its mark.
    #[must_use]
    pub fn mark(&self, about: &Digest, key: &[u8]) -> Vec<u8> {
        let mark = self.over(about, key).finalize().into_bytes();
        [key, &mark[..MARK_BYTES]].concat()
    }

    /// The key of a row, when it was marked about the same. Compares in constant time.
    #[must_use]
    pub fn read<'c>(&self, about: &Digest, marked: &'c [u8]) -> Option<&'c [u8]> {
        let (key, mark) = marked.split_last_chunk::<MARK_BYTES>()?;
        self.over(about, key).verify_truncated_left(mark).ok().map(|()| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_file::KeyFile;
    use crate::randomness::SystemRandomness;
    use crate::tests::scratch;

    fn key(name: &str) -> CursorKey {
        let file = KeyFile::open_or_create(&scratch(name).join("platform.pem"), &SystemRandomness).expect("a key");
        CursorKey::of(&file).expect("a cursor key")
    }

    #[test]
    fn a_cursor_reads_only_unaltered_about_the_same_and_under_the_same_key() {
        let (mine, other) = (key("cursor"), key("other-cursor"));
        let (about, else_) = (Digest::of(b"deals"), Digest::of(b"payees"));
        let marked = mine.mark(&about, b"row");
        assert_eq!(mine.read(&about, &marked), Some(b"row".as_slice()));
        assert_eq!(mine.read(&else_, &marked), None);
        assert_eq!(other.read(&about, &marked), None);
        for n in 0..marked.len() {
            let mut altered = marked.clone();
            altered[n] ^= 1;
            assert_eq!(mine.read(&about, &altered), None, "byte {n}");
            assert_eq!(mine.read(&about, &marked[..n]), None, "{n} bytes");
        }
    }
}
