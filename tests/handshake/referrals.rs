//! Referrals: what a right one leaves behind, and that a wrong one leaves nothing.

use domain::access::Scope;
use domain::chain::encoding::b64url;
use domain::chain::signer::Signer;
use domain::chain::statement::{Assurance, Offer, PartyId, Statement};
use domain::deals::refer::ReferRefusal;
use domain::deals::referral::{OfferBy, Refer};
use domain::kernel::Digest;
use domain::kernel::fault::Reason;
use domain::kernel::ids::{ContactId, MemberId};
use harness::platform::MemorySigner;

use crate::world::{World, client, each, partner};

/// The code of the refusal of an offer that was bent before it was signed.
fn bent(world: &World, key: &MemorySigner, bend: impl FnOnce(&mut Offer)) -> &'static str {
    let terms = world.terms("B-1");
    let mut offer = world.offer(&terms);
    offer.kid = key.kid();
    bend(&mut offer);
    let envelope = Statement::Offer(offer).sign(key).expect("an envelope");
    let command = Refer { client: client(), terms, offer: OfferBy::Referrer(envelope) };
    world.refer(&command).expect_err("a refusal").code()
}

fn custodial(world: &World, external_ref: Option<&str>, member: MemberId) -> Refer {
    let mut terms = world.terms(external_ref.unwrap_or("none"));
    terms.external_ref = terms.external_ref.filter(|_| external_ref.is_some());
    terms.member = member;
    Refer { client: client(), terms, offer: OfferBy::Custodian }
}

#[test]
fn an_offer_signed_by_the_member_opens_a_deal_and_is_logged_at_once() {
    let world = World::new();
    let before = world.rows();
    let command = world.signed("R-1");
    let made = world.refer(&command).expect("a referral");
    assert_eq!((made.new, made.assurance.as_str()), (true, "self"));
    let OfferBy::Referrer(envelope) = &command.offer else { panic!("an offer") };
    assert_eq!(made.offer_sha256, Digest::of(envelope.as_bytes()));
    let after = world.rows();
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before + 1, after);
    }
    let platform = &world.platform;
    let stages = "select count(*) from deal where stage = 'referred' and agreement_id is null and external_ref = 'R-1'";
    assert_eq!(platform.number(stages), 1);
    // The same offer again, alone or twice in a batch, writes nothing more.
    let again = world.refer(&command).expect("the same referral");
    assert_eq!((again.new, again.deal, again.handshake), (false, made.deal, made.handshake));
    let twice = world.refer_as(&partner(platform.introducer), &[command.clone(), command]).expect("a batch");
    assert!(twice.iter().all(|o| o.as_ref().is_ok_and(|r| !r.new && r.deal == made.deal)));
    assert_eq!(world.rows(), after);
    let head = platform.sequence();
    assert_eq!(head.size, 4);
    assert_eq!(platform.number("select count(*) from chain_leaf where kind = 'offer' and index = 3"), 1);
}

#[test]
fn a_batch_gives_each_its_outcome_and_duplicates_in_it_are_one() {
    let world = World::new();
    let good = world.signed("R-1");
    let mut other_terms = world.signed("R-2");
    other_terms.terms.referred_on = "2026-11-19".parse().expect("a date");
    let same_reference = world.signed("R-1");
    let mut unknown = world.signed("R-3");
    unknown.terms.member = MemberId::new(uuid::Uuid::nil());
    let batch = [good.clone(), other_terms, good.clone(), same_reference, unknown, world.signed("R-4")];
    let outcomes = world.refer_as(&partner(world.platform.introducer), &batch).expect("a batch");
    let codes: Vec<&str> = outcomes
        .iter()
        .map(|o| match o {
            Ok(made) if made.new => "new",
            Ok(_) => "known",
            Err(refusal) => refusal.code(),
        })
        .collect();
    assert_eq!(codes, ["new", "terms_mismatch", "known", "external_ref_taken", "unknown_member", "new"]);
    assert_eq!(world.platform.number("select count(*) from deal"), 2);
}

#[test]
fn an_offer_that_is_not_exactly_right_is_refused_and_leaves_nothing() {
    let world = World::new();
    let before = world.rows();
    let own = &world.member_key;
    let provider = PartyId::organisation(world.platform.provider);
    let introducer = PartyId::organisation(world.platform.introducer);
    assert_eq!(bent(&world, own, |o| o.log = "another.example/log".to_owned()), "log_mismatch");
    assert_eq!(bent(&world, own, |o| o.to = introducer.clone()), "party_mismatch");
    assert_eq!(bent(&world, own, |o| o.party = introducer), "party_mismatch");
    assert_eq!(bent(&world, own, |o| o.party = provider), "party_mismatch");
    assert_eq!(bent(&world, own, |o| o.assurance = Assurance::Attested), "assurance_mismatch");
    assert_eq!(bent(&world, own, |o| o.assurance = Assurance::Custodial), "assurance_mismatch");
    assert_eq!(bent(&world, own, |o| o.declaration = Some(Digest([1; 32]))), "statement_malformed");
    assert_eq!(bent(&world, own, |o| o.previous = Some(Digest([1; 32]))), "statement_malformed");
    assert_eq!(bent(&world, own, |o| o.referred = None), "statement_malformed");
    assert_eq!(bent(&world, own, |o| o.referred = Some(PartyId::platform())), "statement_malformed");
    assert_eq!(bent(&world, own, |o| o.row_sha256 = None), "terms_mismatch");
    assert_eq!(bent(&world, own, |o| o.row_sha256 = Some(Digest([1; 32]))), "terms_mismatch");
    assert_eq!(bent(&world, own, |o| o.seen.size = 1), "seen_in_the_future");
    assert_eq!(bent(&world, own, |o| o.seen.root = Digest([1; 32])), "seen_not_published");
    assert_eq!(bent(&world, own, |o| o.v = 2), "statement_malformed");
    // A key that is not registered, and registered keys of others.
    assert_eq!(bent(&world, &MemorySigner::new(77), |_| ()), "unknown_key");
    assert_eq!(bent(&world, &world.provider_key, |_| ()), "unknown_key");
    assert_eq!(bent(&world, &world.platform.signer, |_| ()), "unknown_key");
    // The organisation's key signs as the organisation, not as its member.
    assert_eq!(bent(&world, &world.introducer_key, |_| ()), "party_mismatch");
    assert_eq!(world.rows(), before);
}

#[test]
fn every_altered_letter_of_an_offer_is_refused() {
    let world = World::new();
    let command = world.signed("R-1");
    let before = world.rows();
    let OfferBy::Referrer(envelope) = &command.offer else { panic!("an offer") };
    let altered: Vec<Refer> = (0..envelope.len())
        .map(|at| {
            let mut bytes = envelope.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let offer = OfferBy::Referrer(String::from_utf8(bytes).expect("ASCII"));
            Refer { offer, ..command.clone() }
        })
        .collect();
    for outcome in world.refer_as(&partner(world.platform.introducer), &altered).expect("a batch") {
        assert!(matches!(outcome, Err(ReferRefusal::Offer(_))), "{outcome:?}");
    }
    assert_eq!(world.rows(), before);
    assert!(world.refer(&command).expect("the unaltered one").new);
}

#[test]
fn only_canonical_envelopes_are_read() {
    let world = World::new();
    let terms = world.terms("R-1");
    let offer = Statement::Offer(world.offer(&terms));
    let canonical = String::from_utf8(domain::kernel::jcs::to_bytes(&offer).expect("bytes")).expect("text");
    let kid = world.member_key.kid();
    let header = format!(r#"{{"alg":"Ed25519","kid":"{kid}","typ":"flip360-handshake+jws"}}"#);
    let code = |header: &str, payload: &str| {
        let signed = format!("{}.{}", b64url(header.as_bytes()), b64url(payload.as_bytes()));
        let signature = world.member_key.sign(signed.as_bytes()).expect("a signature");
        let offer = OfferBy::Referrer(format!("{signed}.{}", b64url(&signature)));
        let command = Refer { client: client(), terms: terms.clone(), offer };
        world.refer(&command).map_err(|refusal| refusal.code())
    };
    let cases = [
        (header.as_str(), canonical.replacen('{', "{ ", 1), "payload_not_canonical"),
        (&header, canonical.replacen("{", r#"{"assurance":"self","#, 1), "payload_not_canonical"),
        (&header, canonical.replacen(r#""v":1"#, r#""v":1.0"#, 1), "payload_not_canonical"),
        (&header, canonical.replacen(r#""v":1}"#, r#""v":1,"x":1}"#, 1), "statement_malformed"),
        (&header, canonical.replacen(r#""type":"offer""#, r#""type":"handover""#, 1), "statement_malformed"),
        (&header, canonical.replacen(r#""v":1"#, r#""v":null"#, 1), "statement_malformed"),
        (&header, canonical.replacen("self", "self\\u0000", 1), "statement_malformed"),
        (&header, "null".to_owned(), "statement_malformed"),
        (&header, String::new(), "payload_not_canonical"),
        (&header.replacen("Ed25519", "EdDSA", 1), canonical.clone(), "header_invalid"),
        (&header.replacen("Ed25519", "none", 1), canonical.clone(), "header_invalid"),
        (&header.replacen("handshake", "import", 1), canonical.clone(), "typ_mismatch"),
        (&header.replacen('{', r#"{"crit":[],"#, 1), canonical.clone(), "header_invalid"),
        (&header.replacen(&kid, &world.introducer_key.kid(), 1), canonical.clone(), "kid_mismatch"),
    ];
    for (header, payload, expected) in cases {
        assert_eq!(code(header, &payload), Err(expected), "{header} {payload}");
    }
    for text in ["", ".", "..", "a.b", "a.b.c.d", "\0", "é.é.é"] {
        let command = Refer { client: client(), terms: terms.clone(), offer: OfferBy::Referrer(text.to_owned()) };
        assert!(world.refer(&command).is_err(), "{text:?}");
    }
    assert!(code(&header, &canonical).expect("the canonical one").new);
}

#[test]
fn a_partner_refers_with_its_own_members_only() {
    let world = World::new();
    let before = world.rows();
    let command = world.signed("R-1");
    let foreign = world.refer_as(&partner(world.platform.provider), std::slice::from_ref(&command)).expect("a batch");
    assert_eq!(foreign, [Err(ReferRefusal::UnknownMember)]);
    let mut powerless = partner(world.platform.introducer);
    powerless.scopes.remove(&Scope::DealsWrite);
    let refused = world.refer_as(&powerless, std::slice::from_ref(&command)).expect("a batch");
    assert!(matches!(refused[..], [Err(ReferRefusal::Scope(_))]), "{refused:?}");
    let mut future = custodial(&world, None, world.keyless);
    future.terms.referred_on = "2026-11-24".parse().expect("a date");
    assert_eq!(world.refer(&future).expect_err("a refusal"), ReferRefusal::ReferredInTheFuture);
    let mut not_a_provider = custodial(&world, None, world.keyless);
    not_a_provider.terms.provider = world.platform.introducer;
    assert_eq!(world.refer(&not_a_provider).expect_err("a refusal"), ReferRefusal::UnknownProvider);
    let mut too_early = custodial(&world, None, world.keyless);
    too_early.terms.referred_on = "1999-01-01".parse().expect("a date");
    assert_eq!(world.refer(&too_early).expect_err("a refusal"), ReferRefusal::NoAgreement);
    assert_eq!(world.rows(), before);
}

#[test]
fn the_platform_signs_for_a_member_without_a_key_and_says_so() {
    let world = World::new();
    let command = custodial(&world, Some("K-1"), world.keyless);
    let made = world.refer(&command).expect("a referral");
    assert_eq!((made.new, made.assurance.as_str()), (true, "custodial"));
    let again = world.refer(&command).expect("the same referral");
    assert_eq!((again.new, again.deal), (false, made.deal));
    let mut other = command.clone();
    other.terms.referred_on = "2026-11-19".parse().expect("a date");
    assert_eq!(world.refer(&other).expect_err("a refusal"), ReferRefusal::ExternalRefTaken);
    let mut another = command.clone();
    another.client.personal.name = domain::directory::PersonName::parse("Somebody Else").expect("a name");
    assert_eq!(world.refer(&another).expect_err("a refusal"), ReferRefusal::ExternalRefTaken);
    // Also in the batch of the first one.
    let mut first = custodial(&world, Some("K-9"), world.keyless);
    first.terms.referred_on = "2026-11-18".parse().expect("a date");
    let mut second = first.clone();
    second.client.personal.name = another.client.personal.name.clone();
    let pair = world.refer_as(&partner(world.platform.introducer), &[first, second]).expect("a batch");
    assert!(matches!(&pair[..], [Ok(_), Err(ReferRefusal::ExternalRefTaken)]), "{pair:?}");
    let mut signed = world.signed("K-10");
    assert!(world.refer(&signed).expect("a referral").new);
    assert!(!world.refer(&signed).expect("the same referral").new);
    signed.client.personal.name = another.client.personal.name.clone();
    assert_eq!(world.refer(&signed).expect_err("a refusal"), ReferRefusal::IdTaken);
    let keyed = custodial(&world, Some("K-2"), world.member);
    assert_eq!(world.refer(&keyed).expect_err("a refusal"), ReferRefusal::MemberHasKey);
    let twice = [custodial(&world, Some("K-3"), world.keyless), custodial(&world, Some("K-3"), world.keyless)];
    let outcomes = world.refer_as(&partner(world.platform.introducer), &twice).expect("a batch");
    let new: Vec<bool> = outcomes.into_iter().map(|o| o.expect("a referral").new).collect();
    assert_eq!(new, [true, false]);
    let custodial = "select count(*) from handshake where assurance = 'custodial'";
    assert_eq!(world.platform.number(custodial), 3);
}

#[test]
fn an_organisation_signs_as_itself_for_its_member() {
    let world = World::new();
    let mut terms = world.terms("O-1");
    terms.member = world.keyless;
    let mut offer = world.offer(&terms);
    offer.kid = world.introducer_key.kid();
    offer.party = PartyId::organisation(world.platform.introducer);
    let envelope = Statement::Offer(offer).sign(&world.introducer_key).expect("an envelope");
    let made = world.refer(&Refer { client: client(), terms, offer: OfferBy::Referrer(envelope) });
    assert_eq!(made.expect("a referral").assurance, "self");
}

#[test]
fn the_ids_of_others_cannot_be_taken() {
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let before = world.rows();
    assert_eq!(bent(&world, &world.member_key, |o| o.handshake = made.handshake), "id_taken");
    let client = made.client;
    assert_eq!(bent(&world, &world.member_key, |o| o.referred = Some(PartyId::contact(client))), "id_taken");
    let fresh = PartyId::contact(ContactId::new(uuid::Uuid::from_u128(5)));
    let commands: Vec<Refer> = ["R-2", "R-3"]
        .map(|reference| {
            let terms = world.terms(reference);
            let offer = Offer { referred: Some(fresh.clone()), ..world.offer(&terms) };
            let envelope = Statement::Offer(offer).sign(&world.member_key).expect("an envelope");
            Refer { client: crate::world::client(), terms, offer: OfferBy::Referrer(envelope) }
        })
        .into();
    assert_eq!(world.rows(), before);
    let outcomes = world.refer_as(&partner(world.platform.introducer), &commands).expect("a batch");
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1], Err(ReferRefusal::IdTaken));
}

#[test]
fn the_same_offer_from_many_at_once_is_one_referral() {
    let world = World::new();
    let command = world.signed("R-1");
    let before = world.rows();
    let deals: Vec<_> = std::thread::scope(|scope| {
        let (world, command) = (&world, &command);
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(move || world.refer(command).expect("a referral"))).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    assert_eq!(deals.iter().filter(|made| made.new).count(), 1);
    assert!(deals.iter().all(|made| made.deal == deals[0].deal));
    assert_eq!(world.rows(), before.map(|n| n + 1));
}

#[test]
fn what_was_seen_must_be_a_published_checkpoint() {
    let world = World::new();
    let first = world.platform.sequence();
    let _ = world.refer(&world.signed("R-1")).expect("a referral");
    let second = world.platform.sequence();
    let seeing = |world: &World, reference: &str, seen| {
        let terms = world.terms(reference);
        let offer = Offer { seen, ..world.offer(&terms) };
        let envelope = Statement::Offer(offer).sign(&world.member_key).expect("an envelope");
        let command = Refer { client: client(), terms, offer: OfferBy::Referrer(envelope) };
        let actor = partner(world.platform.introducer);
        let env = domain::env::Env { seen: second, ..world.env(&actor) };
        let outcomes = world
            .platform
            .store()
            .transaction(|uow| domain::deals::refer::refer(uow, &env, &each(&actor, std::slice::from_ref(&command))));
        outcomes.expect("a batch").remove(0).map_err(|refusal| refusal.code())
    };
    assert!(seeing(&world, "S-1", first).is_ok());
    assert!(seeing(&world, "S-2", second).is_ok());
    let head = |size, root| domain::chain::checkpoint::TreeHead { size, root };
    assert_eq!(seeing(&world, "S-3", head(second.size + 1, second.root)), Err("seen_in_the_future"));
    assert_eq!(seeing(&world, "S-3", head(first.size, second.root)), Err("seen_not_published"));
    assert_eq!(seeing(&world, "S-3", head(first.size - 1, first.root)), Err("seen_not_published"));
}
