//! Signatures against Node's own crypto, both ways. Where Node is not installed, the same is shown by
//! nothing else here: the test says so, is counted, and ends.

use std::io::Write;
use std::process::{Command, Stdio};

use domain::access::Viewer;
use domain::chain::signer::Signer;
use domain::chain::statement::Statement;
use domain::deals::countersign::Countersign;
use domain::deals::draft::{Draft, Prepared, prepare};
use domain::deals::referral::{OfferBy, Refer};
use harness::platform::MemorySigner;
use harness::skip::skip;
use serde_json::{Value, json};

use crate::world::{World, client, partner};

/// The answers of the oracle; `None` without Node.
fn ask(requests: &[Value]) -> Option<Vec<Value>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/jws_check.js");
    let mut node = match Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
        Ok(node) => node,
        Err(_) => {
            skip("`node` is not on the path: signatures are not compared with those of its own crypto");
            return None;
        }
    };
    let lines: Vec<String> = requests.iter().map(ToString::to_string).collect();
    node.stdin.take().expect("a pipe").write_all(lines.join("\n").as_bytes()).expect("it reads");
    let output = node.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn prepared(world: &World, by_provider: bool, draft: &Draft) -> Prepared {
    let organisation = if by_provider { world.platform.provider } else { world.platform.introducer };
    let actor = partner(organisation);
    let env = world.env(&actor);
    world.platform.store().transaction(|uow| prepare(uow, &env, draft)).expect("a statement")
}

#[test]
fn what_the_platform_signs_verifies_elsewhere_and_nothing_altered_does() {
    let world = World::new();
    let mut terms = world.terms("K-1");
    terms.member = world.keyless;
    let made = world.refer(&Refer { client: client(), terms, offer: OfferBy::Custodian }).expect("a referral");
    let _ = world.countersign(&world.accepted(&made)).expect("a seal");
    let shown = world
        .platform
        .store()
        .read(&Viewer::Everything, |q| q.handshakes().find_handshake(made.handshake))
        .expect("a look")
        .expect("it is there");
    let platform = serde_json::to_value(world.platform.signer.public_key().jwk()).expect("a JWK");
    let provider = serde_json::to_value(world.provider_key.public_key().jwk()).expect("a JWK");
    let envelopes: Vec<&str> = shown.statements.iter().map(|s| s.envelope.as_deref().expect("an envelope")).collect();
    let mut requests = vec![
        json!({"jwk": platform, "envelope": envelopes[0]}),
        json!({"jwk": provider, "envelope": envelopes[1]}),
        json!({"jwk": platform, "envelope": envelopes[2]}),
        json!({"jwk": provider, "envelope": envelopes[2]}),
    ];
    let middle = envelopes[2].find('.').expect("a dot") + 9;
    let altered = format!("{}A{}", &envelopes[2][..middle], &envelopes[2][middle + 1..]);
    assert_ne!(altered, envelopes[2]);
    requests.push(json!({"jwk": platform, "envelope": altered}));
    let Some(answers) = ask(&requests) else { return };
    let verdicts: Vec<bool> = answers.iter().map(|a| a["ok"] == json!(true)).collect();
    assert_eq!(verdicts, [true, true, true, false, false]);
    assert_eq!(answers[2]["statement"]["type"], json!("seal"));
}

#[test]
fn a_stranger_signs_what_the_platform_prepared_and_it_is_taken() {
    let world = World::new();
    let terms = world.terms("N-1");
    let draft = Draft::Offer { terms: Box::new(terms.clone()), kid: world.member_key.kid() };
    let offer = prepared(&world, false, &draft);
    let statement = serde_json::to_value(&offer.statement).expect("JSON");
    let request = |seed: u8, statement: &Value| json!({"seed": format!("{seed:02x}").repeat(32), "typ": "flip360-handshake+jws", "statement": statement});
    let Some(signed) = ask(&[request(21, &statement)]) else { return };
    let envelope = signed[0]["envelope"].as_str().expect("an envelope").to_owned();
    // The stranger formed the very bytes that were prepared.
    assert!(envelope.starts_with(&format!("{}.", offer.signing_input)));
    assert_eq!(signed[0]["jwk"], serde_json::to_value(MemorySigner::new(21).public_key().jwk()).expect("a JWK"));
    let made = world.refer(&Refer { client: client(), terms, offer: OfferBy::Referrer(envelope) }).expect("a referral");
    assert_eq!((made.handshake, Some(made.client)), (offer.handshake, offer.client));
    let draft = Draft::Accept { handshake: made.handshake, kid: world.provider_key.kid() };
    let accept = prepared(&world, true, &draft);
    let statement = serde_json::to_value(&accept.statement).expect("JSON");
    let signed = ask(&[request(23, &statement)]).expect("node was there a moment ago");
    let accept = signed[0]["envelope"].as_str().expect("an envelope").to_owned();
    assert!(world.countersign(&Countersign { handshake: made.handshake, accept }).expect("a seal").new);
}

#[test]
fn only_a_party_is_given_something_to_sign() {
    use domain::deals::draft::PrepareError;
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let attempt = |organisation, draft: &Draft| {
        let actor = partner(organisation);
        let env = world.env(&actor);
        world.platform.store().transaction(|uow| prepare(uow, &env, draft)).map(|p| p.statement)
    };
    let (introducer, provider) = (world.platform.introducer, world.platform.provider);
    let offer = |kid| Draft::Offer { terms: Box::new(world.terms("R-2")), kid };
    assert_eq!(attempt(provider, &offer(world.member_key.kid())), Err(PrepareError::UnknownMember));
    assert_eq!(attempt(introducer, &offer(world.provider_key.kid())), Err(PrepareError::UnknownKey));
    assert!(matches!(attempt(introducer, &offer(world.introducer_key.kid())), Ok(Statement::Offer(_))));
    let accept = |kid| Draft::Accept { handshake: made.handshake, kid };
    assert_eq!(attempt(introducer, &accept(world.introducer_key.kid())), Err(PrepareError::NotCounterparty));
    assert_eq!(attempt(provider, &accept(world.member_key.kid())), Err(PrepareError::UnknownKey));
    let stranger = domain::kernel::ids::OrganisationId::new(uuid::Uuid::from_u128(9));
    assert_eq!(attempt(stranger, &accept(world.provider_key.kid())), Err(PrepareError::UnknownHandshake));
}
