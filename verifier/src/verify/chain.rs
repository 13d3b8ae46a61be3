//! A chain of hand-overs: receipts of one deal, each naming the seal before it by its digest.
//!
//! One receipt proves that its holder handed over what a seal of that digest sealed. With the receipt of that seal in
//! hand it is proved that the seal is of the same deal and lane, came before, and that who hands over is who had
//! accepted, on the same terms; and that nobody else was handed the same by a receipt that is here too. So the chain is proved back to the first as far as its receipts are there.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, HandedOver, Sealed};
use crate::digest::Digest;

/// Joins what was found of several receipts: each hand-over is judged against the seal that it names, when that is
/// there and holds. Bound: one look-up a receipt.
pub fn join<'f>(findings: impl IntoIterator<Item = &'f mut Findings>) {
    let mut findings: Vec<&mut Findings> = findings.into_iter().collect();
    let seals: BTreeMap<Digest, (String, Sealed)> = findings
        .iter()
        .filter(|found| found.holds())
        .filter_map(|found| found.sealed.clone().map(|sealed| (sealed.seal, (found.id.clone(), sealed))))
        .collect();
    let mut handed: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    for found in findings.iter().filter(|found| found.holds()) {
        if let Some(over) = &found.handed_over {
            let _ = handed.entry(over.previous).or_default().insert(found.id.clone());
        }
    }
    for found in findings.iter_mut().filter(|found| found.holds()) {
        let twice = found.handed_over.as_ref().and_then(|over| handed.get(&over.previous)).filter(|ids| ids.len() > 1);
        if let Some(ids) = twice {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            found.fault(
                "/items/0/envelope",
                "handed_over_twice",
                format!("one seal was handed over by {}", ids.join(" and ")),
            );
            found.proved.clear();
            continue;
        }
        let Some((over, (id, sealed))) =
            found.handed_over.clone().and_then(|over| seals.get(&over.previous).map(|before| (over, before)))
        else {
            continue;
        };
        match fits(&over, sealed) {
            Ok(()) => found.proved.push(format!(
                "What is handed over is what {id} sealed at leaf {}: the same deal, and {} had accepted it there.",
                sealed.index, over.by
            )),
            Err((code, detail)) => {
                found.fault("/items/0/envelope", code, format!("{id}: {detail}"));
                found.proved.clear();
            }
        }
    }
}

fn fits(over: &HandedOver, sealed: &Sealed) -> Result<(), (&'static str, &'static str)> {
    if over.lane != sealed.lane || over.deal != sealed.deal {
        Err(("other_lane", "the seal that is handed over is of another deal"))
    } else if over.by != sealed.holder {
        Err(("other_party", "somebody else had accepted what is handed over"))
    } else if over.agreed != sealed.agreed {
        Err((
            "other_terms",
            "a hand-over keeps agreement, participants, consent and disclosure, and its seal says others",
        ))
    } else if over.index <= sealed.index {
        Err(("out_of_order", "it was handed over before it was sealed"))
    } else {
        Ok(())
    }
}
