//! The receipt of a handshake: offer, accept and seal, each countersigning the one before.
//!
//! Attested statements are signed by the platform for people who signed nothing; the importing
//! organisation's declaration stands for them and is judged when it is there. Custodial ones are signed
//! by the platform too, on instruction, unless the party has a key that a keeper holds. All others need
//! a registration of their key that the log holds at a lower index, for that very party.

use std::collections::BTreeMap;

use super::{Findings, included};
use crate::digest::Digest;
use crate::jws::Jws;
use crate::key::PublicKey;
use crate::leaf::{Leaf, LeafKind};
use crate::receipt::{Logged, Receipt};
use crate::statement::{Accept, Assurance, ImportDeclaration, KeyRegistration, Offer, PartyId, Seal, Statement};
use crate::trust::Trust;

const STATEMENTS: [(&str, LeafKind); 3] =
    [("/items/0", LeafKind::Offer), ("/items/1", LeafKind::Accept), ("/items/2", LeafKind::Seal)];

/// A registered key and since which leaf.
struct Registered {
    key: PublicKey,
    index: u64,
    registration: KeyRegistration,
}

/// A statement that was logged and whose form is right.
struct Read<'r> {
    pointer: &'static str,
    logged: &'r Logged,
    leaf: Leaf,
    jws: Jws,
    statement: Statement,
}

pub(super) fn verify(trust: &Trust, receipt: &Receipt, findings: &mut Findings) {
    let [offer, accept, seal] = receipt.items.as_slice() else {
        findings.fault("/items", "wrong_number_of_items", "the receipt of a handshake has offer, accept and seal");
        return;
    };
    let registered = registrations(trust, receipt, findings);
    let mut read = Vec::new();
    for ((pointer, kind), logged) in STATEMENTS.into_iter().zip([offer, accept, seal]) {
        if let Some(found) = statement(trust, findings, pointer, logged, kind) {
            signed(trust, &registered, findings, &found);
            read.push(found);
        }
    }
    let [offer, accept, seal] = read.as_slice() else { return };
    ordered(findings, &read);
    if let (Statement::Offer(o), Statement::Accept(a), Statement::Seal(s)) =
        (&offer.statement, &accept.statement, &seal.statement)
    {
        chained(findings, receipt, (o, offer.logged), (a, accept.logged), s);
        let declared = declaration(trust, receipt, &registered, findings, o.declaration);
        if findings.holds() {
            tell(findings, receipt, (o, a, s), declared.as_ref());
        }
    }
}

/// The keys whose registration is proved by the receipt.
fn registrations(trust: &Trust, receipt: &Receipt, findings: &mut Findings) -> BTreeMap<String, Registered> {
    let mut keys = BTreeMap::new();
    for (n, logged) in receipt.keys.iter().enumerate() {
        let pointer = format!("/keys/{n}");
        if included(findings, &pointer, logged, &[LeafKind::KeyRegistration]).is_none() {
            continue;
        }
        let at = format!("{pointer}/envelope");
        match registration(trust, &logged.envelope) {
            Ok((key, registration)) => {
                let registered = Registered { key, index: logged.index, registration };
                if keys.insert(key.kid(), registered).is_some() {
                    findings.fault(at, "key_twice", "a key is registered twice in this receipt");
                }
            }
            Err(detail) => findings.fault(at, "registration_not_valid", detail),
        }
    }
    keys
}

/// A registration proves possession: it is signed by the very key.
fn registration(trust: &Trust, envelope: &str) -> Result<(PublicKey, KeyRegistration), String> {
    let (jws, statement) = Statement::parse(envelope).map_err(|e| e.to_string())?;
    let typ = statement.typ();
    let Statement::KeyRegistration(registration) = statement else { return Err("not a registration".to_owned()) };
    if registration.log != trust.origin() {
        return Err(format!("for log {}", registration.log));
    }
    let key = PublicKey::from_jwk(&registration.jwk).map_err(|e| e.to_string())?;
    jws.verify(&key, typ).map_err(|e| e.to_string())?;
    Ok((key, registration))
}

/// A statement of the right kind, for this log, that its leaf commits to and the log includes.
fn statement<'r>(
    trust: &Trust,
    findings: &mut Findings,
    pointer: &'static str,
    logged: &'r Logged,
    kind: LeafKind,
) -> Option<Read<'r>> {
    let leaf = included(findings, pointer, logged, &[kind]);
    let at = format!("{pointer}/envelope");
    let (jws, statement) = match Statement::parse(&logged.envelope) {
        Ok(read) => read,
        Err(error) => {
            findings.fault(at, "statement_malformed", error.to_string());
            return None;
        }
    };
    if statement.kind() != kind {
        findings.fault(at, "other_statement", format!("expected {kind}, found {}", statement.kind()));
        return None;
    }
    if statement.log() != trust.origin() {
        findings.fault(at, "other_log", format!("the statement is for log {}", statement.log()));
        return None;
    }
    if statement.seen().is_some_and(|seen| seen.size > logged.index) {
        findings.fault(at, "seen_from_the_future", "the signer claims to have seen a checkpoint that holds this leaf");
        return None;
    }
    Some(Read { pointer, logged, leaf: leaf?, jws, statement })
}

/// Who must have signed: the platform for seals and attested statements, otherwise the party's own key.
fn signed(trust: &Trust, registered: &BTreeMap<String, Registered>, findings: &mut Findings, read: &Read<'_>) {
    let at = format!("{}/envelope", read.pointer);
    let (party, assurance) = match &read.statement {
        Statement::Offer(s) => (&s.party, s.assurance),
        Statement::Accept(s) => (&s.party, s.assurance),
        Statement::Seal(s) if s.party.is_platform() => (&s.party, Assurance::Attested),
        Statement::Seal(_)
        | Statement::KeyRegistration(_)
        | Statement::ImportDeclaration(_)
        | Statement::AgreementApproval(_)
        | Statement::PayoutApproval(_)
        | Statement::Erasure(_) => {
            findings.fault(at, "other_party", "only the platform seals");
            return;
        }
    };
    let key = match assurance {
        Assurance::Attested => trust.platform_key(read.jws.kid()),
        // The keeper's own key, or one that it keeps for the party.
        Assurance::Custodial => {
            trust.platform_key(read.jws.kid()).or_else(|| own_key(registered, findings, read, party, assurance))
        }
        Assurance::Own => own_key(registered, findings, read, party, assurance),
    };
    let Some(key) = key else {
        findings.fault(at, "unknown_key", format!("key {} is not known to be allowed to sign this", read.jws.kid()));
        return;
    };
    match read.jws.verify(key, read.statement.typ()) {
        Ok(()) => findings.add_key(read.jws.kid()),
        Err(error) => findings.fault(at, "signature_invalid", error.to_string()),
    }
}

fn own_key<'k>(
    registered: &'k BTreeMap<String, Registered>,
    findings: &mut Findings,
    read: &Read<'_>,
    party: &PartyId,
    assurance: Assurance,
) -> Option<&'k PublicKey> {
    let found = registered.get(read.jws.kid())?;
    let at = format!("{}/envelope", read.pointer);
    if found.registration.party != *party {
        findings.fault(&at, "key_of_other_party", format!("the key is registered for {}", found.registration.party));
    }
    if found.registration.assurance != assurance {
        findings.fault(&at, "assurance_overstated", "the key was registered with another assurance");
    }
    if found.index >= read.logged.index {
        findings.fault(&at, "key_registered_later", "the key was registered after it signed");
    }
    Some(&found.key)
}

/// One lane, growing places, growing indexes; neighbours name each other.
fn ordered(findings: &mut Findings, read: &[Read<'_>]) {
    for pair in read.windows(2) {
        let [before, after] = pair else { continue };
        let at = format!("{}/leaf", after.pointer);
        if before.leaf.lane != after.leaf.lane {
            findings.fault(&at, "other_lane", "the statements of a handshake are on one lane");
        }
        if before.leaf.lane_seq >= after.leaf.lane_seq || before.logged.index >= after.logged.index {
            findings.fault(&at, "out_of_order", "offer, accept and seal follow each other");
        }
        if before.leaf.lane_seq + 1 == after.leaf.lane_seq && after.leaf.previous != before.leaf.hash() {
            findings.fault(&at, "lane_broken", "the leaf does not name the one before it on its lane");
        }
    }
}

/// Each statement commits to the whole envelope before it, signature included.
fn chained(
    findings: &mut Findings,
    receipt: &Receipt,
    (offer, offered): (&Offer, &Logged),
    (accept, accepted): (&Accept, &Logged),
    seal: &Seal,
) {
    let (offer_sha256, accept_sha256) =
        (Digest::of(offered.envelope.as_bytes()), Digest::of(accepted.envelope.as_bytes()));
    if accept.offer_sha256 != offer_sha256 {
        findings.fault("/items/1/envelope", "digest_mismatch", "the accept is of another offer");
    }
    if seal.offer_sha256 != offer_sha256 || seal.accept_sha256 != accept_sha256 {
        findings.fault("/items/2/envelope", "digest_mismatch", "the seal is of another offer or accept");
    }
    if offer.to != accept.party {
        findings.fault("/items/1/envelope", "other_party", "somebody else than the offer names accepted");
    }
    for (pointer, handshake) in
        [("/items/0", offer.handshake), ("/items/1", accept.handshake), ("/items/2", seal.handshake)]
    {
        if handshake.to_string() != receipt.id {
            findings.fault(format!("{pointer}/envelope"), "other_handshake", format!("of {handshake}"));
        }
    }
    if seal.assurance != offer.assurance.min(accept.assurance) {
        findings.fault("/items/2/envelope", "assurance_overstated", "the seal does not say the weaker assurance");
    }
    for (pointer, assurance, declaration) in [
        ("/items/0", offer.assurance, offer.declaration),
        ("/items/1", accept.assurance, accept.declaration),
        ("/items/2", seal.assurance, seal.declaration),
    ] {
        if (assurance == Assurance::Attested) != declaration.is_some() {
            let detail = "an attested statement, and only that, names the declaration it rests on";
            findings.fault(format!("{pointer}/envelope"), "declaration_misplaced", detail);
        }
    }
}

/// Judges the importing organisation's declaration, when it is there and the offer names one.
fn declaration(
    trust: &Trust,
    receipt: &Receipt,
    registered: &BTreeMap<String, Registered>,
    findings: &mut Findings,
    named: Option<Digest>,
) -> Option<ImportDeclaration> {
    let logged = receipt.declaration.as_ref()?;
    let at = "/declaration/envelope";
    if named != Some(Digest::of(logged.envelope.as_bytes())) {
        findings.fault(at, "digest_mismatch", "the offer names another declaration");
        return None;
    }
    included(findings, "/declaration", logged, &[LeafKind::ImportDeclaration])?;
    let judged = Statement::parse(&logged.envelope).map_err(|e| e.to_string()).and_then(|(jws, statement)| {
        let typ = statement.typ();
        let Statement::ImportDeclaration(declared) = statement else { return Err("not a declaration".to_owned()) };
        if declared.log != trust.origin() {
            return Err(format!("for log {}", declared.log));
        }
        let own = registered
            .get(jws.kid())
            .filter(|r| r.registration.party == declared.organisation && r.index < logged.index);
        let key = own.map(|r| &r.key).ok_or("its key is not registered for the organisation")?;
        jws.verify(key, typ).map_err(|e| e.to_string())?;
        Ok(declared)
    });
    match judged {
        Ok(declared) => {
            findings.add_key(&declared.kid);
            Some(declared)
        }
        Err(detail) => {
            findings.fault(at, "declaration_not_valid", detail);
            None
        }
    }
}

/// Says in words what holds.
fn tell(
    findings: &mut Findings,
    receipt: &Receipt,
    (offer, accept, seal): (&Offer, &Accept, &Seal),
    declared: Option<&ImportDeclaration>,
) {
    findings.assurance = Some(seal.assurance);
    let indexes: Vec<String> = receipt.items.iter().map(|item| item.index.to_string()).collect();
    findings.proved.push(format!(
        "Handshake {} on {}: offered by {}, accepted by {}, sealed by the platform, in this order (leaves {}), each naming the one before by its digest.",
        receipt.id, seal.deal, offer.party, accept.party, indexes.join(", ")
    ));
    findings.proved.push(format!(
        "The terms are version {} of {}, content {}.",
        seal.agreement.version, seal.agreement.id, seal.agreement.content_sha256
    ));
    let participants: Vec<String> = seal.participants.iter().map(|p| format!("{} as {}", p.member, p.role)).collect();
    findings.proved.push(format!("Who takes part was frozen: {}.", participants.join(", ")));
    match (seal.assurance, declared) {
        (Assurance::Own, _) => findings.proved.push("Both parties signed with keys of their own.".to_owned()),
        (Assurance::Custodial, _) => findings.not_proved.push(
            "That both parties signed themselves: for at least one of them the platform keeps the key (custodial)."
                .to_owned(),
        ),
        (Assurance::Attested, Some(declared)) => {
            findings.proved.push(format!(
                "{} answers, by its signed declaration, for the imported file {} and its consents.",
                declared.organisation, declared.file_sha256
            ));
        }
        (Assurance::Attested, None) => findings
            .not_proved
            .push("What the importing organisation declared: its declaration is not part of this receipt.".to_owned()),
    }
    if seal.assurance == Assurance::Attested {
        findings.not_proved.push(
            "That the parties signed: the deal was imported; the platform signed on the importing organisation's word (attested), at the time of the import.".to_owned(),
        );
    }
    if !seal.consent.declared || !seal.disclosure.declared {
        findings.not_proved.push("That consent and disclosure were declared.".to_owned());
    }
    findings.not_proved.push("That none of the keys was revoked after this checkpoint.".to_owned());
}
