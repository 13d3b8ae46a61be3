//! Steps 2 and 3: import the export, make one new referral and take it to settlement, show one
//! calculation.

use std::collections::BTreeMap;
use std::path::Path;

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::encoding::b64url;
use domain::chain::merkle::empty_root;
use domain::chain::note::Note;
use domain::chain::signer::Signer;
use domain::chain::statement::{Declared, ImportDeclaration, PartyId, Statement, VERSION};
use domain::kernel::Digest;
use domain::kernel::ids::OrganisationId;
use domain::kernel::time::Clock;
use integrations::clock::SystemClock;
use serde_json::{Value, json};

use super::people::{Partner, People, salt};
use super::site::Site;
use super::{DemoError, Say, text};

/// The member who makes the new referral: nobody of the export, whose figures stay the export's own.
pub const REFERRER: &str = "DEMO-REFERRER";

/// What became of the export.
#[derive(Debug, Default)]
pub struct Imported {
    /// Deals that are new.
    pub created: u64,
    /// Rows that were refused: line, reference, codes, details.
    pub refused: Vec<Value>,
}

/// Declares and imports the export.
///
/// # Errors
/// What the service refuses.
pub fn import(site: &Site, people: &People, file: &[u8], say: &Say) -> Result<Imported, DemoError> {
    let declaration = declaration(site, &people.introducer, file)?;
    let client = &people.introducer.client;
    let path = format!("/v1/deals/imports?provider_id={}", people.provider.id);
    let mut job = client.upload(&path, &[("Flip360-Declaration", &declaration)], file)?;
    let id = text(&job, "id")?;
    loop {
        let done = usize::try_from(job["progress"]["done"].as_u64().unwrap_or(0)).unwrap_or(0);
        let total = job["progress"]["total"].as_u64().and_then(|n| usize::try_from(n).ok());
        say.progress("rows worked on", done, total.unwrap_or(0));
        match job["status"].as_str().unwrap_or_default() {
            "queued" | "running" => std::thread::sleep(super::POLL),
            "succeeded" => break,
            other => return Err(DemoError::Step(format!("the import {other}: {job}"))),
        }
        job = client.get(&format!("/v1/jobs/{id}"))?;
    }
    let result = text(&job, "result")?;
    let summary = client.get(&result)?;
    let refused = client.list(&format!("{result}/rows?outcome=refused"))?;
    let count = |name: &str| summary["counts"][name].as_u64().unwrap_or(0);
    say.line(&format!(
        "{} rows: {} deals are new, {} rows were replaced by a later one, {} refused",
        count("rows"),
        count("created"),
        count("superseded"),
        count("refused")
    ));
    let refused = refused.iter().map(refused_row).collect();
    Ok(Imported { created: count("created"), refused })
}

/// A refused row as the demonstration writes it: the first reason's code, every reason in words.
fn refused_row(row: &Value) -> Value {
    let faults = row["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
    let word = |fault: &Value, key: &str| fault[key].as_str().unwrap_or_default().to_owned();
    let details: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}", word(fault, "column"), word(fault, "detail"))).collect();
    json!({
        "line": row["line"], "external_ref": row["external_ref"],
        "code": faults.first().map(|fault| word(fault, "code")).unwrap_or_default(), "detail": details.join("; ")
    })
}

/// The introducer's key answers for the file.
fn declaration(site: &Site, introducer: &Partner, file: &[u8]) -> Result<String, DemoError> {
    let organisation = OrganisationId::parse(&introducer.id).map_err(|e| DemoError::Step(e.to_string()))?;
    let statement = Statement::ImportDeclaration(ImportDeclaration {
        consent: Declared { declared: true, text_sha256: None },
        disclosure: Declared { declared: true, text_sha256: None },
        file_sha256: Digest::of(file),
        import: None,
        kid: introducer.key.kid(),
        log: site.origin()?,
        organisation: PartyId::organisation(organisation),
        salt: salt(),
        seen: seen(introducer)?,
        v: VERSION,
    });
    statement.sign(&introducer.key).map_err(|e| DemoError::Step(e.to_string()))
}

/// The newest checkpoint, as the signer saw it.
fn seen(partner: &Partner) -> Result<TreeHead, DemoError> {
    let note = partner.client.get_bytes("/checkpoint")?;
    let text = String::from_utf8(note).map_err(|e| DemoError::Step(e.to_string()))?;
    let note = Note::parse(&text).map_err(|e| DemoError::Step(e.to_string()))?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|e| DemoError::Step(e.to_string()))?;
    let nothing = TreeHead { size: 0, root: empty_root() };
    Ok(if checkpoint.head.size == 0 { nothing } else { checkpoint.head })
}

/// Makes a referral that both sides sign, and takes it to settlement. Returns the deal.
///
/// # Errors
/// What the service refuses.
pub fn refer(people: &People, referrer: &str, say: &Say) -> Result<String, DemoError> {
    let (introducer, provider) = (&people.introducer, &people.provider);
    let today = SystemClock.now().sydney_date();
    let external_ref = "DEMO-2026-0001";
    let terms = json!({
        "member_id": referrer, "provider_id": provider.id, "product": "FIXED-3Y", "external_ref": external_ref,
        "referred_on": today.to_string(), "consent": {"declared": true}, "disclosure": {"declared": true}
    });
    let offer = prepared(introducer, &with(&terms, &[("type", json!("offer")), ("kid", json!(introducer.key.kid()))]))?;
    let person = json!({"kind": "person", "name": "Jane Citizen", "email": "jane.citizen@example.com"});
    let referral =
        introducer.client.post("/v1/referrals", &with(&terms, &[("client", person), ("offer", json!(offer))]))?;
    let (deal, handshake) = (text(&referral, "deal_id")?, text(&referral, "handshake_id")?);
    say.line(&format!("the introducer offered {external_ref}: {handshake}"));
    let draft = json!({"type": "accept", "kid": provider.key.kid(), "handshake_id": handshake});
    let accept = prepared(provider, &draft)?;
    let sealed =
        provider.client.post(&format!("/v1/handshakes/{handshake}/countersign"), &json!({"accept": accept}))?;
    say.line(&format!(
        "the provider countersigned; the platform sealed it under version {}",
        sealed["agreement_version"]
    ));
    let on = today.to_string();
    let facts = format!("/v1/deals/{deal}/facts");
    provider.client.post(&facts, &json!({"kind": "contract", "on": on}))?;
    let aud = |amount: i64| json!({"amount": amount, "currency": "AUD"});
    let settlement = json!({"kind": "settlement", "on": on, "amount": aud(61_234_567), "offset": aud(1_234_500)});
    provider.client.post(&facts, &settlement)?;
    say.line("contracted and settled: $612,345.67 less $12,345.00 in offset");
    Ok(deal)
}

/// Asks for the exact statement and signs it, as anybody with an Ed25519 library would.
fn prepared(partner: &Partner, draft: &Value) -> Result<String, DemoError> {
    let prepared = partner.client.post("/v1/handshakes", draft)?;
    let input = text(&prepared, "signing_input")?;
    let signature = partner.key.sign(input.as_bytes()).map_err(|e| DemoError::Step(e.to_string()))?;
    Ok(format!("{input}.{}", b64url(&signature)))
}

fn with(body: &Value, fields: &[(&str, Value)]) -> Value {
    let mut body = body.clone();
    for (name, value) in fields {
        body[*name] = value.clone();
    }
    body
}

/// Prints how the commission of a deal was worked out. Returns the text.
///
/// # Errors
/// What the service refuses.
pub fn explain(people: &People, deal: &str, say: &Say) -> Result<String, DemoError> {
    let commission = people.auditor.get(&format!("/v1/deals/{deal}/commission"))?;
    let calculation = text(&commission["lines"][0], "calculation_id")?;
    let explained = people.auditor.get(&format!("/v1/calculations/{calculation}/explain"))?;
    let trace = text(&explained, "text")?;
    for line in trace.lines() {
        say.line(&format!("  {line}"));
    }
    let again = people.auditor.post(&format!("/v1/calculations/{calculation}/reproduce"), &json!({}))?;
    if again["reproduced"] != json!(true) {
        return Err(DemoError::Step(format!("the calculation came out differently: {again}")));
    }
    say.line("worked out a second time: the same digest");
    Ok(trace)
}

/// What each member of the export earned, and what was taken back, in cents.
///
/// # Errors
/// What the service refuses.
pub fn figures(people: &People, say: &Say) -> Result<BTreeMap<String, (i64, i64)>, DemoError> {
    let mut figures = BTreeMap::new();
    for (reference, id) in &people.members {
        let statement = people.auditor.get(&format!("/v1/statements?member_id={id}&limit=1"))?;
        let cents = |key: &str| statement["totals"][key]["amount"].as_i64();
        let (Some(earned), Some(clawed_back)) = (cents("earned"), cents("clawed_back")) else {
            return Err(DemoError::Step(format!("the statement of {reference} has no totals: {statement}")));
        };
        figures.insert(reference.clone(), (earned, clawed_back));
        say.progress("statements read", figures.len(), people.members.len());
    }
    Ok(figures)
}

/// Writes a file below the output directory.
///
/// # Errors
/// When it cannot be written.
pub fn write(out: &Path, name: &str, bytes: &[u8]) -> Result<(), DemoError> {
    let path = out.join(name);
    std::fs::write(&path, bytes).map_err(|e| DemoError::file("writing", &path, e))
}
