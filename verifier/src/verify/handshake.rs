//! The receipt of a handshake: offer, accept and seal, each countersigning the one before.
//!
//! Attested statements are signed by the platform for people who signed nothing; the importing
//! organisation's declaration stands for them and is judged when it is there. Custodial ones are signed
//! by the platform too, on instruction, unless the party has a key that a keeper holds. All others need
//! a key that was that very party's and good at their index ([`super::keys`]). A hand-over names the seal before it;
//! that it is the right one is judged where both receipts are in hand ([`super::chain`]).

use super::keys::{KeyHistory, NotGood};
use super::{Agreed, Findings, HandedOver, Sealed, included};
use crate::digest::Digest;
use crate::jws::Jws;
use crate::leaf::{Leaf, LeafKind};
use crate::receipt::{Logged, Receipt};
use crate::statement::{Accept, Assurance, ImportDeclaration, Offer, Seal, Statement};
use crate::trust::Trust;

const STATEMENTS: [(&str, LeafKind); 3] =
    [("/items/0", LeafKind::Offer), ("/items/1", LeafKind::Accept), ("/items/2", LeafKind::Seal)];

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
    let keys = KeyHistory::read(trust, receipt, findings);
    let mut read = Vec::new();
    for ((pointer, kind), logged) in STATEMENTS.into_iter().zip([offer, accept, seal]) {
        if let Some(found) = statement(trust, findings, pointer, logged, kind) {
            signed(trust, &keys, findings, &found);
            read.push(found);
        }
    }
    let [offer, accept, seal] = read.as_slice() else { return };
    ordered(findings, &read);
    if let (Statement::Offer(o), Statement::Accept(a), Statement::Seal(s)) =
        (&offer.statement, &accept.statement, &seal.statement)
    {
        chained(findings, receipt, (o, offer.logged), (a, accept.logged), s);
        let declared = declaration(trust, receipt, &keys, findings, (o.declaration, offer.logged.index));
        if findings.holds() {
            tell(findings, receipt, (o, a, s), declared.as_ref());
            handed_over(findings, (o, offer), (s, seal));
            keys.tell(findings);
        }
    }
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
fn signed(trust: &Trust, keys: &KeyHistory, findings: &mut Findings, read: &Read<'_>) {
    let at = format!("{}/envelope", read.pointer);
    let (party, assurance) = match &read.statement {
        Statement::Offer(s) => (&s.party, s.assurance),
        Statement::Accept(s) => (&s.party, s.assurance),
        Statement::Seal(s) if s.party.is_platform() => (&s.party, Assurance::Attested),
        _ => {
            findings.fault(at, "other_party", "only the platform seals");
            return;
        }
    };
    let (kid, index) = (read.jws.kid(), read.logged.index);
    let platform = trust.platform_key(kid);
    let key = match assurance {
        Assurance::Attested => platform.ok_or_else(|| super::keys::unknown(kid)),
        // The keeper's own key, or one that it keeps for the party.
        Assurance::Custodial => platform.map_or_else(|| keys.signer(kid, party, assurance, index), Ok),
        Assurance::Own => keys.signer(kid, party, assurance, index),
    };
    let key = match key {
        Ok(key) => key,
        Err(NotGood { code, detail }) => {
            findings.fault(at, code, detail);
            return;
        }
    };
    match read.jws.verify(key, read.statement.typ()) {
        Ok(()) => findings.add_key(read.jws.kid()),
        Err(error) => findings.fault(at, "signature_invalid", error.to_string()),
    }
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
        if before.leaf.lane_seq.checked_add(1) == Some(after.leaf.lane_seq) && after.leaf.previous != before.leaf.hash()
        {
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
    keys: &KeyHistory,
    findings: &mut Findings,
    (named, offered): (Option<Digest>, u64),
) -> Option<ImportDeclaration> {
    let logged = receipt.declaration.as_ref()?;
    let at = "/declaration/envelope";
    if named != Some(Digest::of(logged.envelope.as_bytes())) {
        findings.fault(at, "digest_mismatch", "the offer names another declaration");
        return None;
    }
    included(findings, "/declaration", logged, &[LeafKind::ImportDeclaration])?;
    if logged.index >= offered {
        findings.fault("/declaration/index", "out_of_order", "the declaration comes before the offer that rests on it");
        return None;
    }
    let judged = Statement::parse(&logged.envelope).map_err(|e| e.to_string()).and_then(|(jws, statement)| {
        let typ = statement.typ();
        let Statement::ImportDeclaration(declared) = statement else { return Err("not a declaration".to_owned()) };
        if declared.log != trust.origin() {
            return Err(format!("for log {}", declared.log));
        }
        if declared.seen.size > logged.index {
            return Err("its signer claims to have seen a checkpoint that holds it".to_owned());
        }
        let key =
            keys.declarant(jws.kid(), &declared.organisation, logged.index).map_err(|not_good| not_good.detail)?;
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
}

/// Notes what a chain of receipts is joined by, and says what one alone proves of it.
fn handed_over(findings: &mut Findings, (offer, offered): (&Offer, &Read<'_>), (seal, sealed): (&Seal, &Read<'_>)) {
    let agreed = Agreed {
        agreement: seal.agreement.clone(),
        participants: seal.participants.clone(),
        consent: seal.consent.clone(),
        disclosure: seal.disclosure.clone(),
    };
    findings.sealed = Some(Sealed {
        agreed: agreed.clone(),
        seal: Digest::of(sealed.logged.envelope.as_bytes()),
        lane: sealed.leaf.lane,
        deal: seal.deal,
        index: sealed.logged.index,
        holder: offer.to.clone(),
    });
    let Some(previous) = offer.previous else { return };
    findings.handed_over = Some(HandedOver {
        agreed,
        previous,
        lane: offered.leaf.lane,
        deal: seal.deal,
        index: offered.logged.index,
        by: offer.party.clone(),
    });
    findings.proved.push(format!("{} hands over what the seal {previous} sealed.", offer.party));
    findings.not_proved.push(
        "What was sealed before this hand-over: judge it together with the receipt whose seal it names.".to_owned(),
    );
}
