//! One checkpoint to one witness: the proof from what it knows, its answer, and what that means.
//!
//! A witness that knows another size says so (409), and is asked again with a proof from there, at most [`TRIES`] times.
//! One that says to know less than it cosigned has lost its memory: that is kept against it, and it is not brought up again.
//! A refusal (422, or 409 for another tree of the same size) speaks against the log, unless the log can prove that it
//! extends the very checkpoint whose cosignature it holds: then the witness is at fault, and signing goes on.

use std::sync::Arc;

use actix_web::web::Data;
use domain::access::Viewer;
use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::cosignature::WitnessKey;
use domain::chain::merkle::{MerkleError, empty_root};
use domain::chain::note::{Note, NoteSignature};
use domain::chain::proof;
use domain::chain::published::StoredRows;
use domain::chain::witness::answer::{self, Reply, Told};
use domain::chain::witness::record::EvidenceKind;
use domain::chain::witness::submission::Submission;
use domain::store::StoreError;
use integrations::outbound::{Outbound, OutboundRequest, Verb};

use crate::app::{App, blocking};

/// Requests for one checkpoint to one witness.
const TRIES: usize = 3;

/// A signed checkpoint on its way to witnesses.
pub(super) struct Candidate {
    pub(super) note: Note,
    pub(super) head: TreeHead,
    /// Whether it is kept: the empty log's is sent before anything was signed, to ask who knows of more.
    pub(super) kept: bool,
}

/// What came of it.
pub(super) enum Outcome {
    Cosigned { line: NoteSignature, time: u64 },
    Refused { kind: EvidenceKind, told: u64, old: u64, reply: Reply },
    Failed(&'static str),
}

/// The newest signed checkpoint; that of the empty log when none is kept.
pub(super) async fn candidate(app: &Data<App>) -> Result<Candidate, String> {
    let asked = app.clone();
    let find = move || asked.store.read(&Viewer::Everything, |queries| queries.witnesses().find_signed_note());
    let found = blocking(find).await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let Some(signed) = found else {
        let empty = Checkpoint { origin: app.origin.clone(), head: TreeHead { size: 0, root: empty_root() } };
        let note = empty.sign(app.log.as_ref()).map_err(|e| e.to_string())?;
        return Ok(Candidate { note, head: empty.head, kept: false });
    };
    let note = Note::parse(&signed.note).map_err(|e| e.to_string())?;
    let head = Checkpoint::parse(note.text()).map_err(|e| e.to_string())?.head;
    Ok(Candidate { note, head, kept: true })
}

/// A body for a witness that knows a size, and whether it can be held to having cosigned that.
struct Prepared {
    body: String,
    provable: bool,
}

/// What the witness is known to have cosigned, as far as the candidate goes.
async fn known(app: &Data<App>, witness: &WitnessKey, size: u64) -> Result<Option<TreeHead>, &'static str> {
    let (asked, key) = (app.clone(), witness.to_string());
    let find =
        move || asked.store.read(&Viewer::Everything, |queries| queries.witnesses().find_cosigned_head(&key, size));
    blocking(find).await.map_err(|_| "database_away")?.map_err(|_| "database_away")
}

async fn prepared(
    app: &Data<App>,
    candidate: &Arc<Candidate>,
    old: u64,
    cosigned: Option<TreeHead>,
) -> Result<Prepared, &'static str> {
    let (asked, candidate) = (app.clone(), Arc::clone(candidate));
    let prove = move || {
        asked.store.read_snapshot(&Viewer::Everything, |queries| {
            let rows = StoredRows::new(queries.chain());
            let (head, damaged) = (candidate.head, |error: MerkleError| StoreError::Failed(error.to_string()));
            let proof = proof::prove_consistency(&rows, old, head.size).map_err(damaged)?;
            let from = cosigned.filter(|cosigned| cosigned.size == old);
            let provable = from.is_some_and(|from| {
                proof::check_consistency((old, &from.root), (head.size, &head.root), &proof).is_ok()
            });
            let submission = Submission { old, proof, note: candidate.note.clone() };
            Ok(Prepared { body: submission.to_string(), provable })
        })
    };
    blocking(prove).await.map_err(|_| "database_away")?.map_err(|error| {
        tracing::error!(%error, "the proof for a witness could not be made");
        "proof_failed"
    })
}

/// Sends the candidate to a witness.
pub(super) async fn ask(app: Data<App>, witness: WitnessKey, url: String, candidate: Arc<Candidate>) -> Outcome {
    let Some(outbound) = app.witnessing.outbound.clone() else { return Outcome::Failed("not_set_up") };
    match asked(&app, &outbound, &witness, &url, &candidate).await {
        Ok(outcome) => outcome,
        Err(code) => Outcome::Failed(code),
    }
}

async fn asked(
    app: &Data<App>,
    outbound: &Outbound,
    witness: &WitnessKey,
    url: &str,
    candidate: &Arc<Candidate>,
) -> Result<Outcome, &'static str> {
    let size = candidate.head.size;
    let newest = known(app, witness, size).await?.map_or(0, |head| head.size);
    let mut old = newest;
    for _ in 0..TRIES {
        // What was cosigned at the very size that the proof begins at, if anything was.
        let cosigned = known(app, witness, old).await?;
        let Prepared { body, provable } = prepared(app, candidate, old, cosigned).await?;
        let reply = sent(outbound, url, body).await?;
        match answer::read(witness, &candidate.note, &reply) {
            Told::Cosigned { line, time } => return Ok(Outcome::Cosigned { line, time }),
            Told::Has(told) if told > size => {
                return Ok(Outcome::Refused { kind: EvidenceKind::Ahead, told, old, reply });
            }
            Told::Has(told) if told < newest => {
                return Ok(Outcome::Refused { kind: EvidenceKind::Behind, told, old: newest, reply });
            }
            Told::Has(told) if told != old => old = told,
            // Of the size that was named: it can only be another tree, of this very size.
            Told::Has(told) if told != size => return Err("conflict_without_reason"),
            Told::Has(_) | Told::Refuses => {
                let kind = if provable { EvidenceKind::Refused } else { EvidenceKind::Fork };
                return Ok(Outcome::Refused { kind, told: old, old, reply });
            }
            Told::Failed(code) => return Err(code),
        }
    }
    Err("conflicts_without_end")
}

async fn sent(outbound: &Outbound, url: &str, body: String) -> Result<Reply, &'static str> {
    let request = OutboundRequest {
        verb: Verb::Post,
        url: format!("{url}/add-checkpoint"),
        headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
        body: body.into_bytes(),
        keep: answer::MAX_BYTES,
    };
    let answered = outbound.send(request).await.map_err(|error| error.code())?;
    if answered.cut {
        return Err("answer_too_long");
    }
    let content_type = answered.headers.get("content-type").and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    Ok(Reply { status: answered.status, content_type, body: answered.body })
}
