//! The trace that a request belongs to (W3C Trace Context, level 1): taken from `traceparent` when it is one,
//! told in the log and in the answer. What is not one is ignored, as the standard asks.

use domain::kernel::time::Randomness;

/// The trace of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    id: String,
    sampled: bool,
}

impl Trace {
    /// Reads a `traceparent`: `00-<trace>-<parent>-<flags>`, lower-case hexadecimal; a later version may have
    /// more behind it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let more = parts.next().is_some();
        let known = hexadecimal(version, 2)? != 0xff && (version != "00" || !more);
        let named = hexadecimal(id, 32)? != 0 && hexadecimal(parent, 16)? != 0;
        let sampled = hexadecimal(flags, 2)? & 1 == 1;
        (known && named).then(|| Self { id: id.to_owned(), sampled })
    }

    /// The trace's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The `traceparent` of our own span in it.
    #[must_use]
    pub fn own(&self, randomness: &dyn Randomness) -> String {
        let mut span = [0; 8];
        randomness.fill(&mut span);
        // A span's id is not nought.
        let span = u64::from_be_bytes(span).max(1);
        format!("00-{}-{span:016x}-{:02x}", self.id, u8::from(self.sampled))
    }
}

fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let lower = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if lower { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of the standard's own text and test suite.
    #[test]
    fn a_trace_is_what_the_standard_says() {
        let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let good = |text: String| Trace::parse(&text);
        let read = good(format!("00-{trace}-{parent}-01")).expect("a trace");
        assert_eq!((read.id(), read.sampled), (trace, true));
        assert!(!good(format!("00-{trace}-{parent}-00")).expect("a trace").sampled);
        assert!(good(format!("cc-{trace}-{parent}-01-what-the-future-brings")).is_some());
        for text in [
            format!("ff-{trace}-{parent}-01"),
            format!("00-{trace}-{parent}-01-more"),
            format!("00-{trace}-{parent}-01-"),
            format!("00-{trace}-{parent}-1"),
            format!("00-{trace}-{parent}"),
            format!("0-{trace}-{parent}-01"),
            format!("00-{}-{parent}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
            format!("00-{}-{parent}-01", &trace[1..]),
            format!("00-{trace}-{parent}-0x"),
            format!("00-+{}-{parent}-01", &trace[1..]),
            String::new(),
        ] {
            assert_eq!(good(text.clone()), None, "{text}");
        }
    }
}
