//! What is left behind: figures, refusals, the bank file, the journal, and a report that says what each is.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::DemoError;
use super::deals::{Imported, write};
use super::payout::{Paid, dollars};
use super::proof::Proved;

/// Everything that is told.
pub struct Told<'t> {
    /// What became of the export.
    pub imported: &'t Imported,
    /// How one commission was worked out.
    pub trace: &'t str,
    /// The run.
    pub paid: &'t Paid,
    /// Earned and taken back, by member.
    pub figures: &'t BTreeMap<String, (i64, i64)>,
    /// What was proved.
    pub proved: &'t Proved,
}

/// Writes the files that the steps have not written themselves.
///
/// # Errors
/// When one cannot be written.
pub fn write_all(out: &Path, told: &Told<'_>, journal: &[u8]) -> Result<(), DemoError> {
    let figures: BTreeMap<&String, Value> = told
        .figures
        .iter()
        .map(|(member, (earned, clawed_back))| (member, json!({"earned": earned, "clawed_back": clawed_back})))
        .collect();
    write(out, "payout.aba", &told.paid.file)?;
    write(out, "ledger.journal", journal)?;
    write(out, "members.json", &pretty(&figures)?)?;
    write(out, "refused.json", &pretty(&told.imported.refused)?)?;
    write(out, "report.md", report(told).as_bytes())
}

fn pretty(value: &impl serde::Serialize) -> Result<Vec<u8>, DemoError> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn report(told: &Told<'_>) -> String {
    let (proved, paid) = (told.proved, told.paid);
    let guarantees: String = proved.guarantees["guarantees"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|g| format!("| {} | {} |\n", g["guarantee"].as_str().unwrap_or("?"), g["outcome"].as_str().unwrap_or("?")))
        .collect();
    let (earned, clawed_back) = told.figures.values().fold((0, 0), |sum, figure| (sum.0 + figure.0, sum.1 + figure.1));
    let head = proved.audit.head.map_or_else(String::new, |head| format!("{} leaves, root `{}`", head.size, head.root));
    format!(
        "# Demonstration\n\n\
         {} deals were imported, {} rows refused; members earned {} and {} was taken back. One run paid {} to {} payees.\n\n\
         ## What held\n\n\
         - {} receipts of handshakes and {} of ledger entries, each verified offline.\n\
         - The log, recomputed from its files: {head}, {} differences.\n\n\
         | guarantee | verdict |\n|---|---|\n{guarantees}\n\
         The dispute guarantee comes with disputes.\n\n\
         ## What lies here\n\n\
         | file | what it is |\n|---|---|\n\
         | `payout.aba` | the bank file (Direct Entry) |\n\
         | `receipts/` | a receipt for each handshake and ledger entry; `flip360 verify --trust trust.json receipts` |\n\
         | `trust.json` | the keys that a verifier trusts; hand it over by another way than the receipts |\n\
         | `log/` | the log as static files (C2SP tlog-tiles); `flip360 audit --trust trust.json --mirror log` |\n\
         | `ledger.journal` | the ledger for hledger; `hledger -f ledger.journal balance` |\n\
         | `members.json` | earned and taken back, in cents, by member of the export |\n\
         | `refused.json` | rows of the export that were refused, with line and reason |\n\n\
         ## How one commission was worked out\n\n```\n{}\n```\n",
        told.imported.created,
        told.imported.refused.len(),
        dollars(&json!({"amount": earned})),
        dollars(&json!({"amount": clawed_back})),
        dollars(&paid.run["total"]),
        paid.run["payouts"],
        proved.handshakes,
        proved.entries,
        proved.audit.difference_count,
        told.trace.trim_end(),
    )
}
