//! Step 5: prove. Every receipt is verified offline, the whole log is recomputed, the guarantees are
//! checked over all data.

use std::path::Path;

use domain::chain::audit::{AuditReport, audit};
use domain::chain::mirror::{self, LogFiles};
use domain::chain::receipt::Receipt;
use domain::chain::signer::PortError;
use domain::chain::trust::Trust;
use domain::chain::verify::verify;
use integrations::mirror_directory::MirrorDirectory;
use serde_json::{Value, json};

use super::client::Client;
use super::deals::write;
use super::people::People;
use super::{DemoError, Say};

/// How often the log is asked whether it has signed for everything.
const PATIENCE_ROUNDS: u32 = 200;

/// What was proved.
pub struct Proved {
    /// Receipts of handshakes that hold.
    pub handshakes: usize,
    /// Receipts of ledger entries that hold.
    pub entries: usize,
    /// The audit of the log.
    pub audit: AuditReport,
    /// The run of the guarantees.
    pub guarantees: Value,
}

impl Proved {
    /// Whether everything held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.audit.holds() && self.guarantees["outcome"] == json!("holds")
    }
}

/// The public files of the log, over HTTP.
struct PublishedLog<'c>(&'c Client);

impl LogFiles for PublishedLog<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.0.get_bytes(&format!("/{path}")).map(Some).map_err(|e| PortError(e.to_string()))
    }
}

/// Proves everything and writes trust, receipts and log below `out`.
///
/// # Errors
/// When a receipt does not hold, or the service refuses.
pub fn prove(people: &People, out: &Path, say: &Say) -> Result<Proved, DemoError> {
    let auditor = &people.auditor;
    let keys = auditor.get_bytes("/v1/chain/keys")?;
    let trust = Trust::parse(&keys).map_err(|e| DemoError::Step(format!("the trust file: {e}")))?;
    write(out, "trust.json", &keys)?;
    let receipts = out.join("receipts");
    std::fs::create_dir_all(&receipts).map_err(|e| DemoError::file("making", &receipts, e))?;
    let handshakes = kept(auditor, &trust, "handshakes", &receipts, say)?;
    let entries = kept(auditor, &trust, "entries", &receipts, say)?;
    say.line(&format!("{handshakes} handshakes and {entries} ledger entries: every receipt was verified offline"));
    let audit = log(auditor, &trust, out)?;
    say.line(&format!(
        "the log: {} leaves in {} lanes recomputed, {} differences",
        audit.leaves, audit.lanes, audit.difference_count
    ));
    let guarantees = people.administrator.post("/v1/guarantee-runs", &json!({}))?;
    for guarantee in guarantees["guarantees"].as_array().map(Vec::as_slice).unwrap_or_default() {
        say.line(&format!(
            "guarantee {}: {}",
            guarantee["guarantee"].as_str().unwrap_or("?"),
            guarantee["outcome"].as_str().unwrap_or("?")
        ));
    }
    Ok(Proved { handshakes, entries, audit, guarantees })
}

/// Fetches, verifies and keeps every receipt of a kind.
fn kept(auditor: &Client, trust: &Trust, kind: &str, folder: &Path, say: &Say) -> Result<usize, DemoError> {
    let rows = settled(auditor, kind)?;
    for (n, row) in rows.iter().enumerate() {
        let id = row["id"].as_str().unwrap_or_default();
        let bytes = domain::kernel::jcs::to_bytes(&row["receipt"]).map_err(|e| DemoError::Step(e.to_string()))?;
        let receipt = Receipt::parse(&bytes).map_err(|e| DemoError::Step(format!("the receipt of {id}: {e}")))?;
        let findings = verify(trust, &receipt);
        if !findings.holds() {
            return Err(DemoError::Step(format!("the receipt of {id} does not hold: {:?}", findings.faults)));
        }
        write(folder, &format!("{id}.json"), &bytes)?;
        say.progress(&format!("receipts of {kind} verified"), n + 1, rows.len());
    }
    Ok(rows.len())
}

/// Every row of a list of receipts, once the log has signed for all of them. An unsealed handshake has none.
fn settled(auditor: &Client, kind: &str) -> Result<Vec<Value>, DemoError> {
    for _ in 0..PATIENCE_ROUNDS {
        let mut rows = auditor.list(&format!("/v1/receipts/{kind}"))?;
        if rows.iter().any(|row| row["withheld"] == json!("receipt_pending")) {
            std::thread::sleep(super::POLL);
            continue;
        }
        rows.retain(|row| row["withheld"] != json!("handshake_not_sealed"));
        return match rows.iter().find(|row| !row["withheld"].is_null()) {
            Some(row) => Err(DemoError::Step(format!("a receipt is withheld: {row}"))),
            None => Ok(rows),
        };
    }
    Err(DemoError::Step("the log does not sign what waits".into()))
}

/// Writes the log as static files and recomputes it from them.
fn log(auditor: &Client, trust: &Trust, out: &Path) -> Result<AuditReport, DemoError> {
    let folder = out.join("log");
    let directory = MirrorDirectory::new(&folder);
    mirror::export(&PublishedLog(auditor), &directory, &mut |_, _| ()).map_err(|e| DemoError::Step(e.to_string()))?;
    audit(trust.log(), &directory, &mut |_, _| ()).map_err(|e| DemoError::Step(e.to_string()))
}
