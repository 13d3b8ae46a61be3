//! Erasures: what is said to be erased is gone, and the platform signed for exactly that.
//!
//! A handshake whose envelopes are gone counts as erased, not as broken, because of what is checked here: every erasure
//! has its logged statement, signed by the platform, and its digest is that of the commitments of the leaves that it
//! names. An envelope that is gone without one is a broken promise.

use uuid::Uuid;

use super::PAGE;
use super::repository::ErasureEvidence;
use super::tally::Tally;
use crate::chain::leaf::{self, Leaf, LeafKind};
use crate::chain::statement::{Erasure, Statement};
use crate::chain::trust::Trust;
use crate::kernel::Digest;
use crate::store::{Queries, StoreError};

pub(super) fn check(queries: &mut dyn Queries, trust: &Trust, tally: &mut Tally) -> Result<(), StoreError> {
    tally.cover("erasures", 0);
    let mut after = Uuid::nil();
    loop {
        let page = queries.guarantees().erasures(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.uuid();
        tally.cover("erasures", page.len() as u64);
        for erasure in &page {
            if let Err((code, detail)) = judge(trust, erasure) {
                tally.broken(erasure.id.to_string(), code, detail);
            }
        }
    }
}

fn judge(trust: &Trust, erasure: &ErasureEvidence) -> Result<(), (&'static str, String)> {
    let envelope = erasure.envelope.as_deref().ok_or(("erasure_lost", "its statement is gone".to_owned()))?;
    let statement = stated(trust, envelope).map_err(|why| ("erasure_not_valid", why))?;
    let [bytes] = erasure.own_leaves.as_slice() else {
        return Err(("erasure_not_logged_once", format!("it has {} leaves", erasure.own_leaves.len())));
    };
    let commits =
        Leaf::parse(bytes).is_ok_and(|l| l.kind == LeafKind::Erasure && l.commitment == leaf::commitment(envelope));
    if !commits {
        return Err(("leaf_differs", "its leaf commits to something else".to_owned()));
    }
    let named: Option<Vec<Digest>> =
        erasure.leaves.iter().map(|bytes| Leaf::parse(bytes).ok().map(|leaf| leaf.commitment)).collect();
    if !named.is_some_and(|commitments| statement.is_of(&commitments)) {
        return Err(("erasure_differs", "the leaves that it names are not those that were signed for".to_owned()));
    }
    if erasure.still_kept > 0 {
        return Err(("not_erased", format!("{} of its secrets are still kept", erasure.still_kept)));
    }
    Ok(())
}

fn stated(trust: &Trust, envelope: &[u8]) -> Result<Erasure, String> {
    let text = std::str::from_utf8(envelope).map_err(|e| e.to_string())?;
    let (jws, statement) = Statement::parse(text).map_err(|e| e.to_string())?;
    let typ = statement.typ();
    let Statement::Erasure(erasure) = statement else { return Err("not an erasure".to_owned()) };
    if erasure.log != trust.origin() {
        return Err(format!("for log {}", erasure.log));
    }
    let key = trust.platform_key(jws.kid()).ok_or("not signed by the platform")?;
    jws.verify(key, typ).map_err(|e| e.to_string())?;
    Ok(erasure)
}
