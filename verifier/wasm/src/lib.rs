//! The verifier for a browser: WebAssembly with three functions and no imports, so that it can reach nothing.
//!
//! Whoever calls asks for room ([`take`]), writes the bytes of a trust file and of a receipt there, and has them judged
//! ([`judge`]): the answer is JSON, the same as `flip360 verify --json` prints, without the name of a file. All three
//! pieces are given back ([`give_back`]). Bounds: 2 MB a piece; no state between calls.

use verifier::receipt::Receipt;
use verifier::trust::Trust;
use verifier::verify::{verdict, verify};

/// The largest piece, in bytes.
const MAX_PIECE: usize = 2_000_000;

/// Room for so many bytes; null when that is none or too many.
#[unsafe(no_mangle)]
pub extern "C" fn take(len: usize) -> *mut u8 {
    if len == 0 || len > MAX_PIECE {
        return std::ptr::null_mut();
    }
    Box::into_raw(vec![0_u8; len].into_boxed_slice()).cast()
}

/// Gives room back that [`take`] or [`judge`] gave, of exactly that length.
///
/// # Safety
/// `piece` and `len` are as they were given, and not given back before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn give_back(piece: *mut u8, len: usize) {
    if !piece.is_null() {
        // SAFETY: the caller's promise: this is a boxed slice of ours.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(piece, len)) });
    }
}

/// Judges a receipt under a trust file. Answers where the verdict is: the address in the upper, the length in the lower
/// 32 bits.
///
/// # Safety
/// Both pieces are rooms of [`take`], of these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn judge(trust: *const u8, trust_len: usize, receipt: *const u8, receipt_len: usize) -> u64 {
    // SAFETY: the caller's promise.
    let (trust, receipt) = unsafe { (piece(trust, trust_len), piece(receipt, receipt_len)) };
    let answer = judged(trust, receipt).into_bytes().into_boxed_slice();
    let len = answer.len() as u64;
    let at = Box::into_raw(answer).cast::<u8>() as usize as u64;
    (at << 32) | len
}

/// # Safety
/// A room of [`take`], of this length; null is nothing.
unsafe fn piece<'p>(at: *const u8, len: usize) -> &'p [u8] {
    // SAFETY: the caller's promise.
    if at.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(at, len) } }
}

fn judged(trust: &[u8], receipt: &[u8]) -> String {
    let refused = |part: &str, why: String| serde_json::json!({"holds": false, "error": format!("{part}: {why}")});
    let trust = Trust::parse(trust).map_err(|error| refused("the trust file", error.to_string()));
    let receipt = Receipt::parse(receipt).map_err(|error| refused("the receipt", error.to_string()));
    match (trust, receipt) {
        (Ok(trust), Ok(receipt)) => verdict(&verify(&trust, &receipt)),
        (Err(refused), _) | (_, Err(refused)) => refused,
    }
    .to_string()
}
