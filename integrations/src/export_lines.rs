//! The lines of an export, read from a file or from whatever else gives bytes.
//!
//! Bound: a line of more than [`MAX_LINE_BYTES`] is an error, so that no file fills the memory.

use std::io::{BufRead, Read as _};

use domain::chain::export::{ExportLines, MAX_LINE_BYTES};
use domain::chain::signer::PortError;

/// Lines that are read one by one.
#[derive(Debug)]
pub struct LinesOf<R> {
    source: R,
}

impl<R: BufRead> LinesOf<R> {
    /// The lines of a source.
    pub const fn new(source: R) -> Self {
        Self { source }
    }
}

impl<R: BufRead> ExportLines for LinesOf<R> {
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, PortError> {
        let mut line = Vec::new();
        let longest = MAX_LINE_BYTES as u64 + 1;
        let read = self.source.by_ref().take(longest).read_until(b'\n', &mut line);
        let read = read.map_err(|error| PortError(format!("the export cannot be read: {error}")))?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            let _ = line.pop();
        } else if read as u64 == longest {
            return Err(PortError(format!("a line of the export has more than {MAX_LINE_BYTES} bytes")));
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_have_a_bound() {
        let mut lines = LinesOf::new(&b"a\n\nbc"[..]);
        let mut next = || lines.next_line().expect("a line");
        assert_eq!((next(), next(), next(), next()), (Some(b"a".to_vec()), Some(vec![]), Some(b"bc".to_vec()), None));
        let long = vec![b'x'; MAX_LINE_BYTES + 1];
        assert!(LinesOf::new(long.as_slice()).next_line().is_err());
        let whole = [vec![b'x'; MAX_LINE_BYTES], b"\n".to_vec()].concat();
        assert_eq!(LinesOf::new(whole.as_slice()).next_line(), Ok(Some(vec![b'x'; MAX_LINE_BYTES])));
    }
}
