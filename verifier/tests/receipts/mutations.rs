//! Every byte of a receipt of each kind, and of a proof, is changed in several ways: nothing that is changed verifies.
//!
//! Exhaustive over positions, not sampled: at each, bits are flipped, the byte is replaced, taken out, others are put
//! before it, neighbours swapped; which bits and which others goes on from place to place. A canonical text has no second spelling, so that whatever differs must be refused, also where
//! it would say the same.

use std::ops::Range;

use verifier::receipt::{Receipt, ReceiptKind};
use verifier::tlog_proof::TlogProof;
use verifier::verify::{verify, verify_leaf};

use crate::made::{one_of_each, trust};

/// What a byte is replaced by, and what is put before it: letters of base64 and JSON, a line, what is no text.
const OTHERS: [u8; 8] = [b'0', b'A', b'"', b'}', b',', b'\n', b' ', 0xff];

/// Calls with every change at one place. Of the bits and of the other bytes only those of `part`, which goes on from
/// place to place, when there are several parts: all together see everything.
fn changes(bytes: &[u8], place: usize, parts: usize, mut each: impl FnMut(&[u8])) {
    let mut changed = bytes.to_vec();
    let (turn, old) = (place % parts, bytes[place]);
    for bit in (0..8).filter(|bit| bit % parts == turn) {
        changed[place] = old ^ (1 << bit);
        each(&changed);
    }
    for (_, other) in OTHERS.into_iter().enumerate().filter(|(n, other)| n % parts == turn && *other != old) {
        changed[place] = other;
        each(&changed);
    }
    changed[place] = old;
    if let Some(next) = bytes.get(place + 1).filter(|next| **next != old) {
        (changed[place], changed[place + 1]) = (*next, old);
        each(&changed);
        (changed[place], changed[place + 1]) = (old, *next);
    }
    let _ = changed.remove(place);
    each(&changed);
    changed.insert(place, old);
    for (_, other) in OTHERS.into_iter().chain([old]).enumerate().filter(|(n, _)| n % parts == turn) {
        changed.insert(place, other);
        each(&changed);
        let _ = changed.remove(place);
    }
}

/// How many changes were tried at these places; none of them holds.
fn tried(bytes: &[u8], places: Range<usize>, parts: usize, holds: impl Fn(&[u8]) -> bool) -> usize {
    assert!(holds(bytes), "unchanged it holds");
    let mut tried = 0;
    for place in places {
        changes(bytes, place, parts, |changed| {
            assert!(!holds(changed), "byte {place}: {}", String::from_utf8_lossy(changed));
            tried += 1;
        });
    }
    assert!(!holds(&bytes[..bytes.len() - 1]) && !holds(&[bytes, b"\n"].concat()) && !holds(&[bytes, bytes].concat()));
    tried
}

/// Whether bytes are a receipt that holds.
fn receipt_holds() -> impl Fn(&[u8]) -> bool {
    let trust = trust();
    move |bytes| Receipt::parse(bytes).is_ok_and(|receipt| verify(&trust, &receipt).holds())
}

fn receipt(kind: ReceiptKind) -> Vec<u8> {
    let found = one_of_each().into_iter().find(|receipt| receipt.kind == kind);
    found.expect("one of each").to_bytes().expect("bytes")
}

fn no_byte_of(kind: ReceiptKind) {
    let bytes = receipt(kind);
    assert!(tried(&bytes, 0..bytes.len(), 4, receipt_holds()) > 7 * bytes.len());
}

/// The longest one, in two halves for two processors.
fn no_byte_of_a_handshake(places: impl FnOnce(usize) -> Range<usize>) {
    let bytes = receipt(ReceiptKind::Handshake);
    let places = places(bytes.len());
    let length = places.len();
    assert!(tried(&bytes, places, 8, receipt_holds()) > 4 * length);
}

#[test]
fn no_byte_of_the_first_half_of_a_handshakes_receipt_can_change() {
    no_byte_of_a_handshake(|length| 0..length / 2);
}

#[test]
fn no_byte_of_the_second_half_of_a_handshakes_receipt_can_change() {
    no_byte_of_a_handshake(|length| length / 2..length);
}

#[test]
fn no_byte_of_an_entrys_receipt_can_change() {
    no_byte_of(ReceiptKind::LedgerEntry);
}

#[test]
fn no_byte_of_an_agreement_approvals_receipt_can_change() {
    no_byte_of(ReceiptKind::AgreementApproval);
}

#[test]
fn no_byte_of_a_payout_approvals_receipt_can_change() {
    no_byte_of(ReceiptKind::PayoutApproval);
}

#[test]
fn no_byte_of_a_guarantee_runs_receipt_can_change() {
    no_byte_of(ReceiptKind::GuaranteeRun);
}

#[test]
fn no_byte_of_a_tax_papers_receipt_can_change() {
    no_byte_of(ReceiptKind::TaxDocument);
}

#[test]
fn no_byte_of_a_proof_can_change() {
    let trust = trust();
    let holds =
        |bytes: &[u8]| TlogProof::parse(bytes).is_ok_and(|proof| verify_leaf(&trust, &proof, None, None).holds());
    for receipt in one_of_each() {
        let text = TlogProof::of(&receipt).expect("a main item").to_string();
        assert!(tried(text.as_bytes(), 0..text.len(), 2, holds) > 12 * text.len());
    }
}
