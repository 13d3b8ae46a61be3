//! What appending and proving cost as a log grows, in memory, with the domain's own edge and proofs.

use std::time::Instant;

use domain::chain::merkle::{MemoryRows, leaf_hash};
use domain::chain::proof::{check_consistency, check_inclusion, prove_consistency, prove_inclusion, root};
use domain::chain::tile::Edge;
use domain::kernel::Digest;

/// Leaves of one batch.
const BATCH: u64 = 1_000;
/// Leaves whose appending is timed at each size.
const TIMED: u64 = 5_000;
const PROOFS: u64 = 2_000;

fn leaves(from: u64, to: u64) -> Vec<Digest> {
    (from..to).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// Prints a row for each power of ten from 10⁴.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
pub fn table(decade: u32) {
    println!(
        "\n| leaves | append, ns a leaf | hashes in an inclusion proof | to make it, µs | to check it, µs | hashes in a consistency proof | to make it, µs | to check it, µs |\n|---|---|---|---|---|---|---|---|"
    );
    let (mut edge, mut rows) = (Edge::new(), MemoryRows::new());
    for size in (4..=decade).map(|decade| 10_u64.pow(decade)) {
        let mut append = 0.0;
        for from in (edge.size()..size).step_by(BATCH as usize) {
            let batch = leaves(from, (from + BATCH).min(size));
            let begun = Instant::now();
            let _ = edge.append_batch(&batch);
            if size - from <= TIMED {
                append += begun.elapsed().as_secs_f64() * 1e9 / TIMED as f64;
            }
            batch.into_iter().for_each(|leaf| rows.append(leaf));
        }
        let head = edge.root();
        assert_eq!(head, rows.root());
        let at = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
        let begun = Instant::now();
        let included: Vec<_> = (0..PROOFS).map(|n| prove_inclusion(&rows, at(n), size).expect("a proof")).collect();
        let made = micros(begun);
        let begun = Instant::now();
        for (n, path) in (0..PROOFS).zip(&included) {
            let leaf = leaf_hash(&at(n).to_be_bytes());
            check_inclusion(&leaf, at(n), size, path, &head).expect("it checks");
        }
        let checked = micros(begun);
        let from = |n: u64| at(n).max(1);
        let roots: Vec<_> = (0..PROOFS).map(|n| root(&rows, from(n)).expect("a root")).collect();
        let begun = Instant::now();
        let consistent: Vec<_> =
            (0..PROOFS).map(|n| prove_consistency(&rows, from(n), size).expect("a proof")).collect();
        let extended = micros(begun);
        let begun = Instant::now();
        for ((n, path), old) in (0..PROOFS).zip(&consistent).zip(&roots) {
            check_consistency((from(n), old), (size, &head), path).expect("it checks");
        }
        println!(
            "| {size} | {append:.0} | {} | {made:.0} | {checked:.1} | {} | {extended:.0} | {:.1} |",
            longest(&included),
            longest(&consistent),
            micros(begun)
        );
    }
}

fn micros(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6 / PROOFS as f64
}

/// The most hashes that one of them has.
fn longest(paths: &[Vec<Digest>]) -> usize {
    paths.iter().map(Vec::len).max().unwrap_or(0)
}
