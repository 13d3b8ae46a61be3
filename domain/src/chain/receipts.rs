//! Packs receipts out of the store, as one viewer may see them: whoever sees the thing sees its receipt.
//!
//! A batch costs a fixed number of look-ups and each tile of the log once, whatever the number of
//! receipts; all see the same moment. A receipt exists once everything in it is under a signed
//! checkpoint that is published; until then it is pending, and where only witnesses are waited for, it says so.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::key_events::KeyEvents;
use super::merkle::HashReader;
use super::published::{CachedRows, ChainQueries, IndexedLeaf, KeptApproval, KeptEnvelope, PublishedNote, StoredRows};
use super::receipt::{self, Logged, Receipt, ReceiptKind};
use super::statement::{Assurance, Statement, VersionName};
use super::{mirror, proof};
use crate::access::{Actor, MissingScope, Scope};
use crate::kernel::ids::{EntryId, GuaranteeRunId, HandshakeId, PayoutRunId, TaxDocumentId};
use crate::kernel::{Digest, Page, PageRequest};
use crate::ledger::book::EntryFilter;
use crate::store::{Queries, Store, StoreError};
use crate::tax::repository::DocumentFilter;

/// What a receipt is wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// A handshake.
    Handshake(HandshakeId),
    /// A ledger entry.
    LedgerEntry(EntryId),
    /// The approval of a version of an agreement.
    AgreementApproval(VersionName),
    /// The approval of a payout run.
    PayoutApproval(PayoutRunId),
    /// A run of the guarantees.
    GuaranteeRun(GuaranteeRunId),
    /// A tax paper.
    TaxDocument(TaxDocumentId),
}

impl Wanted {
    /// Reads the id of something of a kind.
    #[must_use]
    pub fn parse(kind: ReceiptKind, id: &str) -> Option<Self> {
        match kind {
            ReceiptKind::Handshake => HandshakeId::parse(id).ok().map(Self::Handshake),
            ReceiptKind::LedgerEntry => EntryId::parse(id).ok().map(Self::LedgerEntry),
            ReceiptKind::AgreementApproval => VersionName::parse(id).map(Self::AgreementApproval),
            ReceiptKind::PayoutApproval => PayoutRunId::parse(id).ok().map(Self::PayoutApproval),
            ReceiptKind::GuaranteeRun => GuaranteeRunId::parse(id).ok().map(Self::GuaranteeRun),
            ReceiptKind::TaxDocument => TaxDocumentId::parse(id).ok().map(Self::TaxDocument),
        }
    }

    /// Of which kind its receipt is.
    #[must_use]
    pub const fn kind(&self) -> ReceiptKind {
        match self {
            Self::Handshake(_) => ReceiptKind::Handshake,
            Self::LedgerEntry(_) => ReceiptKind::LedgerEntry,
            Self::AgreementApproval(_) => ReceiptKind::AgreementApproval,
            Self::PayoutApproval(_) => ReceiptKind::PayoutApproval,
            Self::GuaranteeRun(_) => ReceiptKind::GuaranteeRun,
            Self::TaxDocument(_) => ReceiptKind::TaxDocument,
        }
    }

    /// The id of what it is a receipt of.
    fn id(&self) -> String {
        match self {
            Self::Handshake(id) => id.to_string(),
            Self::LedgerEntry(id) => id.to_string(),
            Self::AgreementApproval(name) => name.to_string(),
            Self::PayoutApproval(id) => id.to_string(),
            Self::GuaranteeRun(id) => id.to_string(),
            Self::TaxDocument(id) => id.to_string(),
        }
    }
}

/// Receipts need `chain:read`; those of approvals, reports and papers also what their thing needs.
fn permitted(actor: &Actor, kind: ReceiptKind) -> Result<(), MissingScope> {
    actor.require(Scope::ChainRead)?;
    match kind {
        ReceiptKind::Handshake | ReceiptKind::LedgerEntry => Ok(()),
        ReceiptKind::AgreementApproval => actor.require(Scope::AgreementsRead),
        ReceiptKind::PayoutApproval | ReceiptKind::TaxDocument => actor.require(Scope::PayoutsRead),
        ReceiptKind::GuaranteeRun => actor.require(Scope::GuaranteesRead),
    }
}

/// Why there is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// There is no such thing, or not for this viewer.
    #[error("there is no such thing to have a receipt of")]
    NotFound,
    /// The log has not signed for it yet.
    #[error("the log has not signed for this yet; try again in a moment")]
    Pending,
    /// The log has signed for it, and the quorum of witnesses has not cosigned that checkpoint yet.
    #[error("the log has signed for this, and its witnesses have not cosigned yet; try again in a moment")]
    PendingWitness,
    /// The handshake is not sealed yet.
    #[error("the handshake is not sealed yet")]
    Unsealed,
    /// Nobody has approved it.
    #[error("nobody has approved this: what waits, what was given back and what ships has no approval")]
    Unapproved,
    /// It was issued before papers were logged.
    #[error("this was issued before tax papers were logged: the log holds no leaf of it")]
    Unlogged,
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
    wanted.iter().try_for_each(|one| permitted(actor, one.kind()))?;
    Ok(store.read_snapshot(&actor.viewer(), |queries| packed(queries, wanted))?)
}

/// A page of receipts of one kind, as the actor may see them: handshakes and approvals oldest first, entries, runs of the
/// guarantees and papers newest first. What has no receipt says why.
///
/// # Errors
/// See [`FindReceiptsError`].
pub fn list(
    store: &dyn Store,
    actor: &Actor,
    kind: ReceiptKind,
    page: &PageRequest,
) -> Result<Page<(String, Result<Receipt, Withheld>)>, FindReceiptsError> {
    permitted(actor, kind)?;
    let work = |queries: &mut dyn Queries| {
        let wanted: Page<Wanted> = match kind {
            ReceiptKind::Handshake => queries.handshakes().list_handshake_ids(page)?.map(Wanted::Handshake),
            ReceiptKind::LedgerEntry => {
                queries.book().list_entries(&EntryFilter::default(), page)?.map(|entry| Wanted::LedgerEntry(entry.id))
            }
            ReceiptKind::AgreementApproval => {
                queries.chain().list_approved_versions(page)?.map(Wanted::AgreementApproval)
            }
            ReceiptKind::PayoutApproval => queries.chain().list_approved_runs(page)?.map(Wanted::PayoutApproval),
            ReceiptKind::GuaranteeRun => queries.guarantees().list_runs(page)?.map(|run| Wanted::GuaranteeRun(run.id)),
            ReceiptKind::TaxDocument => {
                let papers = queries.tax().list_documents(&DocumentFilter::default(), page)?;
                papers.map(|paper| Wanted::TaxDocument(paper.id))
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
    of: Wanted,
    items: Vec<KeptEnvelope>,
    declaration: Option<Digest>,
    kids: BTreeSet<String>,
}

impl Material {
    const fn new(of: Wanted, items: Vec<KeptEnvelope>) -> Self {
        Self { of, items, declaration: None, kids: BTreeSet::new() }
    }

    fn approved<T>(kept: KeptApproval<T>, of: impl FnOnce(T) -> Wanted) -> Self {
        Self::new(of(kept.of), kept.approval.into_iter().collect())
    }
}

type Found = BTreeMap<Uuid, IndexedLeaf>;

/// Packs receipts out of look-ups, for whoever has them already.
pub(crate) fn packed(
    queries: &mut dyn Queries,
    wanted: &[Wanted],
) -> Result<Vec<Result<Receipt, Withheld>>, StoreError> {
    let signed = queries.witnesses().find_signed_note()?.map_or(0, |note| note.size);
    let chain = queries.chain();
    let Some(note) = chain.find_newest_note()? else {
        let pending = if signed > 0 { Withheld::PendingWitness } else { Withheld::Pending };
        return Ok(wanted.iter().map(|_| Err(pending)).collect());
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
    let keys = KeyEvents::find(chain, &kids)?;
    let kept = materials.values().flat_map(|m| &m.items).chain(declarations.values()).chain(keys.kept());
    let sources: Vec<Uuid> = kept.map(|kept| kept.source).collect();
    let leaves: Found = chain.find_leaves(&sources)?.into_iter().map(|leaf| (leaf.source, leaf)).collect();
    let stored = StoredRows::new(chain);
    let packer = Packer { note: &note, signed, rows: &CachedRows::new(&stored, note.size), leaves, declarations, keys };
    Ok(wanted.iter().map(|one| packer.receipt(materials.get(one))).collect())
}

/// What was found of what is wanted.
fn materials(chain: &mut dyn ChainQueries, wanted: &[Wanted]) -> Result<BTreeMap<Wanted, Material>, StoreError> {
    let mut found = Vec::new();
    let handshakes = of(wanted, |one| if let Wanted::Handshake(id) = one { Some(*id) } else { None });
    for handshake in looked_up(&handshakes, |ids| chain.find_handshakes(ids))? {
        let mut material = Material::new(Wanted::Handshake(handshake.id), handshake.statements);
        for statement in material.items.iter().filter_map(statement_of) {
            note_needs(&mut material.kids, &mut material.declaration, &statement);
        }
        found.push(material);
    }
    let entries = of(wanted, |one| if let Wanted::LedgerEntry(id) = one { Some(*id) } else { None });
    found.extend(looked_up(&entries, |ids| chain.find_entries(ids))?.into_iter().map(|entry| {
        let item = KeptEnvelope { source: entry.id.uuid(), envelope: Some(entry.canonical), erased: false };
        Material::new(Wanted::LedgerEntry(entry.id), vec![item])
    }));
    let versions = of(wanted, |one| if let Wanted::AgreementApproval(name) = one { Some(*name) } else { None });
    let approvals = looked_up(&versions, |names| chain.find_version_approvals(names))?;
    found.extend(approvals.into_iter().map(|kept| Material::approved(kept, Wanted::AgreementApproval)));
    let runs = of(wanted, |one| if let Wanted::PayoutApproval(id) = one { Some(*id) } else { None });
    let approvals = looked_up(&runs, |ids| chain.find_run_approvals(ids))?;
    found.extend(approvals.into_iter().map(|kept| Material::approved(kept, Wanted::PayoutApproval)));
    let reports = of(wanted, |one| if let Wanted::GuaranteeRun(id) = one { Some(*id) } else { None });
    found.extend(looked_up(&reports, |ids| chain.find_reports(ids))?.into_iter().map(|kept| {
        let id = GuaranteeRunId::new(kept.source);
        Material::new(Wanted::GuaranteeRun(id), vec![kept])
    }));
    let papers = of(wanted, |one| if let Wanted::TaxDocument(id) = one { Some(*id) } else { None });
    found.extend(looked_up(&papers, |ids| chain.find_papers(ids))?.into_iter().map(|paper| {
        let kept = |bytes| KeptEnvelope { source: paper.id.uuid(), envelope: Some(bytes), erased: false };
        Material::new(Wanted::TaxDocument(paper.id), paper.envelope.map(kept).into_iter().collect())
    }));
    Ok(found.into_iter().map(|material| (material.of, material)).collect())
}

/// The ids of one kind among what is wanted.
fn of<T>(wanted: &[Wanted], id: impl Fn(&Wanted) -> Option<T>) -> Vec<T> {
    wanted.iter().filter_map(id).collect()
}

/// What the store has of these ids; it is not asked for nothing.
fn looked_up<T, K>(ids: &[T], find: impl FnOnce(&[T]) -> Result<Vec<K>, StoreError>) -> Result<Vec<K>, StoreError> {
    if ids.is_empty() { Ok(Vec::new()) } else { find(ids) }
}

/// The keys and the declaration that a statement rests on.
fn note_needs(kids: &mut BTreeSet<String>, declaration: &mut Option<Digest>, statement: &Statement) {
    let (assurance, named) = match statement {
        Statement::Offer(s) => (s.assurance, s.declaration),
        Statement::Accept(s) => (s.assurance, s.declaration),
        _ => return,
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
    /// Leaves that the log has signed for, published or not.
    signed: u64,
    rows: &'p R,
    leaves: Found,
    declarations: BTreeMap<Digest, KeptEnvelope>,
    keys: KeyEvents,
}

impl<R: HashReader> Packer<'_, R> {
    fn receipt(&self, material: Option<&Material>) -> Result<Receipt, Withheld> {
        let material = material.ok_or(Withheld::NotFound)?;
        if material.items.iter().any(|kept| kept.erased) {
            return Err(Withheld::Erased);
        }
        match (material.of, material.items.len()) {
            (Wanted::Handshake(_), 0..=2) => return Err(Withheld::Unsealed),
            (Wanted::AgreementApproval(_) | Wanted::PayoutApproval(_), 0) => return Err(Withheld::Unapproved),
            (Wanted::TaxDocument(_), 0) => return Err(Withheld::Unlogged),
            _ => {}
        }
        let items = material.items.iter().map(|kept| self.logged(kept)).collect::<Result<Vec<_>, _>>()?;
        let declaration = material.declaration.and_then(|digest| self.declarations.get(&digest));
        // What is not under the checkpoint yet, such as a revocation of this moment, is left out.
        let mut keys: Vec<Logged> =
            self.keys.of(&material.kids).into_iter().filter_map(|kept| self.logged(kept).ok()).collect();
        keys.sort_by_key(|logged| logged.index);
        Ok(Receipt {
            checkpoint: self.note.note.clone(),
            declaration: declaration.and_then(|kept| self.logged(kept).ok()),
            id: material.of.id(),
            items,
            keys,
            kind: material.of.kind(),
            log: mirror::origin_of(&self.note.note).ok_or(Withheld::Damaged)?,
            r#type: receipt::TYPE.to_owned(),
            v: receipt::VERSION,
        })
    }

    fn logged(&self, kept: &KeptEnvelope) -> Result<Logged, Withheld> {
        let leaf = self.leaves.get(&kept.source).filter(|leaf| leaf.index < self.signed).ok_or(Withheld::Pending)?;
        if leaf.index >= self.note.size {
            return Err(Withheld::PendingWitness);
        }
        let envelope = kept.envelope.clone().and_then(|bytes| String::from_utf8(bytes).ok());
        let envelope = envelope.ok_or(Withheld::Damaged)?;
        let proof = proof::prove_inclusion(self.rows, leaf.index, self.note.size).map_err(|_| Withheld::Damaged)?;
        // A damaged leaf is handed out as it is: the verifier says what is wrong with it.
        let text = String::from_utf8_lossy(&leaf.leaf).into_owned();
        Ok(Logged { envelope, index: leaf.index, leaf: text, proof })
    }
}
