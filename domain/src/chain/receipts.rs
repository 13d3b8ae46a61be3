//! Packs receipts out of the store, as one viewer may see them.
//!
//! A batch costs a fixed number of look-ups and each tile of the log once, whatever the number of
//! receipts; all see the same moment. A receipt exists once everything in it is under a signed
//! checkpoint; until then it is `pending`.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::merkle::HashReader;
use super::published::{CachedRows, ChainQueries, IndexedLeaf, KeptEnvelope, PublishedNote, StoredRows};
use super::receipt::{self, Logged, Receipt, ReceiptKind};
use super::statement::{Assurance, Statement};
use super::{mirror, proof};
use crate::access::{Actor, MissingScope, Scope};
use crate::kernel::ids::{EntryId, HandshakeId};
use crate::kernel::{Digest, Page, PageRequest};
use crate::ledger::book::EntryFilter;
use crate::store::{Queries, Store, StoreError};

/// What a receipt is wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A handshake.
    Handshake(HandshakeId),
    /// A ledger entry.
    LedgerEntry(EntryId),
}

impl Wanted {
    /// The id of what it is a receipt of.
    fn id(&self) -> String {
        match self {
            Self::Handshake(id) => id.to_string(),
            Self::LedgerEntry(id) => id.to_string(),
        }
    }
}

/// Why there is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// There is no such thing, or not for this viewer.
    #[error("there is no such handshake or entry")]
    NotFound,
    /// The log has not signed for it yet.
    #[error("the log has not signed for this yet; try again in a moment")]
    Pending,
    /// The handshake is not sealed yet.
    #[error("the handshake is not sealed yet")]
    Unsealed,
    /// The signed words were erased; only the commitment is left.
    #[error("the signed words were erased")]
    Erased,
    /// The stored log cannot prove it any more: the audit tells why.
    #[error("the stored log is damaged and cannot prove this")]
    Damaged,
}

/// Why no receipts could be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindReceiptsError {
    /// A scope is missing.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds receipts, each with its own outcome, in the order in which they are wanted.
///
/// # Errors
/// See [`FindReceiptsError`].
pub fn find(
    store: &dyn Store,
    actor: &Actor,
    wanted: &[Wanted],
) -> Result<Vec<Result<Receipt, Withheld>>, FindReceiptsError> {
    actor.require(Scope::ChainRead)?;
    Ok(store.read_snapshot(&actor.viewer(), |queries| packed(queries, wanted))?)
}

/// A page of receipts of one kind, as the actor may see them: handshakes oldest first, entries newest
/// first. What has no receipt says why.
///
/// # Errors
/// See [`FindReceiptsError`].
pub fn list(
    store: &dyn Store,
    actor: &Actor,
    kind: ReceiptKind,
    page: &PageRequest,
) -> Result<Page<(String, Result<Receipt, Withheld>)>, FindReceiptsError> {
    actor.require(Scope::ChainRead)?;
    let work = |queries: &mut dyn Queries| {
        let wanted: Page<Wanted> = match kind {
            ReceiptKind::Handshake => queries.handshakes().list_handshake_ids(page)?.map(Wanted::Handshake),
            ReceiptKind::LedgerEntry => {
                queries.book().list_entries(&EntryFilter::default(), page)?.map(|entry| Wanted::LedgerEntry(entry.id))
            }
        };
        let receipts = packed(queries, &wanted.data)?;
        let data = wanted.data.iter().map(Wanted::id).zip(receipts).collect();
        Ok(Page { data, next: wanted.next })
    };
    Ok(store.read_snapshot(&actor.viewer(), work)?)
}

/// What one receipt is made of, before its proofs.
struct Material {
    kind: ReceiptKind,
    id: String,
    items: Vec<KeptEnvelope>,
    declaration: Option<Digest>,
    kids: BTreeSet<String>,
}

type Found = BTreeMap<Uuid, IndexedLeaf>;

/// Packs receipts out of look-ups, for whoever has them already.
pub(crate) fn packed(
    queries: &mut dyn Queries,
    wanted: &[Wanted],
) -> Result<Vec<Result<Receipt, Withheld>>, StoreError> {
    let chain = queries.chain();
    let Some(note) = chain.find_newest_note()? else {
        return Ok(wanted.iter().map(|_| Err(Withheld::Pending)).collect());
    };
    let mut materials = materials(chain, wanted)?;
    let named: Vec<Digest> = materials.values().filter_map(|m| m.declaration).collect();
    let declarations = by_digest(chain.find_declarations(&named)?);
    for material in materials.values_mut() {
        let declared = material.declaration.and_then(|digest| declarations.get(&digest));
        if let Some(kid) = declared.and_then(signer_of) {
            material.kids.insert(kid);
        }
    }
    let kids: BTreeSet<String> = materials.values().flat_map(|m| m.kids.iter().cloned()).collect();
    let kids: Vec<String> = kids.into_iter().collect();
    let registrations: BTreeMap<String, KeptEnvelope> = chain
        .find_registrations(&kids)?
        .into_iter()
        .filter_map(|kept| signer_of(&kept).map(|kid| (kid, kept)))
        .collect();
    let kept = materials.values().flat_map(|m| &m.items).chain(declarations.values()).chain(registrations.values());
    let sources: Vec<Uuid> = kept.map(|kept| kept.source).collect();
    let leaves: Found = chain.find_leaves(&sources)?.into_iter().map(|leaf| (leaf.source, leaf)).collect();
    let stored = StoredRows::new(chain);
    let packer =
        Packer { note: &note, rows: &CachedRows::new(&stored, note.size), leaves, declarations, registrations };
    Ok((0..wanted.len()).map(|n| packer.receipt(materials.get(&n))).collect())
}

/// What was found of what is wanted, by its place.
fn materials(chain: &mut dyn ChainQueries, wanted: &[Wanted]) -> Result<BTreeMap<usize, Material>, StoreError> {
    let (mut handshakes, mut entries) = (BTreeMap::new(), BTreeMap::new());
    for (n, one) in wanted.iter().enumerate() {
        match one {
            Wanted::Handshake(id) => handshakes.insert(*id, n),
            Wanted::LedgerEntry(id) => entries.insert(*id, n),
        };
    }
    let mut materials = BTreeMap::new();
    let ids: Vec<HandshakeId> = handshakes.keys().copied().collect();
    for handshake in chain.find_handshakes(&ids)? {
        let mut material = Material {
            kind: ReceiptKind::Handshake,
            id: handshake.id.to_string(),
            items: handshake.statements,
            declaration: None,
            kids: BTreeSet::new(),
        };
        for statement in material.items.iter().filter_map(statement_of) {
            note_needs(&mut material.kids, &mut material.declaration, &statement);
        }
        handshakes.get(&handshake.id).map(|n| materials.insert(*n, material));
    }
    let ids: Vec<EntryId> = entries.keys().copied().collect();
    for entry in chain.find_entries(&ids)? {
        let item = KeptEnvelope { source: entry.id.uuid(), envelope: Some(entry.canonical), erased: false };
        let (kind, id) = (ReceiptKind::LedgerEntry, entry.id.to_string());
        let material = Material { kind, id, items: vec![item], declaration: None, kids: BTreeSet::new() };
        entries.get(&entry.id).map(|n| materials.insert(*n, material));
    }
    Ok(materials)
}

/// The keys and the declaration that a statement rests on.
fn note_needs(kids: &mut BTreeSet<String>, declaration: &mut Option<Digest>, statement: &Statement) {
    let (assurance, named) = match statement {
        Statement::Offer(s) => (s.assurance, s.declaration),
        Statement::Accept(s) => (s.assurance, s.declaration),
        Statement::Seal(_)
        | Statement::KeyRegistration(_)
        | Statement::ImportDeclaration(_)
        | Statement::AgreementApproval(_)
        | Statement::PayoutApproval(_)
        | Statement::Erasure(_) => return,
    };
    *declaration = declaration.or(named);
    if assurance != Assurance::Attested {
        kids.insert(statement.kid().to_owned());
    }
}

fn statement_of(kept: &KeptEnvelope) -> Option<Statement> {
    let text = std::str::from_utf8(kept.envelope.as_deref()?).ok()?;
    Statement::parse(text).ok().map(|(_, statement)| statement)
}

fn signer_of(kept: &KeptEnvelope) -> Option<String> {
    statement_of(kept).map(|statement| statement.kid().to_owned())
}

fn by_digest(kept: Vec<KeptEnvelope>) -> BTreeMap<Digest, KeptEnvelope> {
    kept.into_iter().filter_map(|k| k.envelope.as_deref().map(Digest::of).map(|digest| (digest, k))).collect()
}

struct Packer<'p, R> {
    note: &'p PublishedNote,
    rows: &'p R,
    leaves: Found,
    declarations: BTreeMap<Digest, KeptEnvelope>,
    registrations: BTreeMap<String, KeptEnvelope>,
}

impl<R: HashReader> Packer<'_, R> {
    fn receipt(&self, material: Option<&Material>) -> Result<Receipt, Withheld> {
        let material = material.ok_or(Withheld::NotFound)?;
        if material.items.iter().any(|kept| kept.erased) {
            return Err(Withheld::Erased);
        }
        if material.kind == ReceiptKind::Handshake && material.items.len() < 3 {
            return Err(Withheld::Unsealed);
        }
        let items = material.items.iter().map(|kept| self.logged(kept)).collect::<Result<Vec<_>, _>>()?;
        let declaration = material.declaration.and_then(|digest| self.declarations.get(&digest));
        let keys = material.kids.iter().filter_map(|kid| self.registrations.get(kid));
        Ok(Receipt {
            checkpoint: self.note.note.clone(),
            declaration: declaration.and_then(|kept| self.logged(kept).ok()),
            id: material.id.clone(),
            items,
            keys: keys.filter_map(|kept| self.logged(kept).ok()).collect(),
            kind: material.kind,
            log: mirror::origin_of(&self.note.note).ok_or(Withheld::Damaged)?,
            r#type: receipt::TYPE.to_owned(),
            v: receipt::VERSION,
        })
    }

    fn logged(&self, kept: &KeptEnvelope) -> Result<Logged, Withheld> {
        let leaf = self.leaves.get(&kept.source).filter(|leaf| leaf.index < self.note.size);
        let leaf = leaf.ok_or(Withheld::Pending)?;
        let envelope = kept.envelope.clone().and_then(|bytes| String::from_utf8(bytes).ok());
        let envelope = envelope.ok_or(Withheld::Damaged)?;
        let proof = proof::prove_inclusion(self.rows, leaf.index, self.note.size).map_err(|_| Withheld::Damaged)?;
        // A damaged leaf is handed out as it is: the verifier says what is wrong with it.
        let text = String::from_utf8_lossy(&leaf.leaf).into_owned();
        Ok(Logged { envelope, index: leaf.index, leaf: text, proof })
    }
}
