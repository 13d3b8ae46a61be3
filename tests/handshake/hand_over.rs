//! Hand-overs: an accepted deal goes from partner to partner on its lane, and receipts prove the chain back to the first.

use domain::access::Viewer;
use domain::chain::receipts::{self, Wanted, Withheld};
use domain::chain::revocation::RevokedBy;
use domain::chain::signer::Signer;
use domain::chain::statement::{Accept, Assurance, Offer, PartyId, RevocationReason, Statement, VERSION};
use domain::chain::verify::{Findings, join, verify};
use domain::deals::countersign::{Countersign, CountersignRefusal};
use domain::deals::hand_over::{HandOver, HandOverError, HandedOver, hand_over};
use domain::deals::refer::Referred;
use domain::kernel::Digest;
use domain::kernel::fault::Reason;
use domain::kernel::id::IdSource;
use domain::kernel::ids::{HandshakeId, OrganisationId};
use harness::platform::{MemorySigner, ORIGIN};

use crate::world::{World, nothing, partner};

type Holder<'k> = (OrganisationId, &'k MemorySigner);

/// The offer with which a holder hands over what a seal of this digest sealed.
fn offer(world: &World, (holder, key): Holder<'_>, previous: Digest, to: OrganisationId) -> Offer {
    Offer {
        assurance: Assurance::Own,
        declaration: None,
        handshake: HandshakeId::new(world.platform.ids.next()),
        kid: key.kid(),
        log: ORIGIN.to_owned(),
        party: PartyId::organisation(holder),
        previous: Some(previous),
        referred: None,
        row_sha256: None,
        salt: world.salt(),
        seen: nothing(),
        to: PartyId::organisation(to),
        v: VERSION,
        value: None,
    }
}

fn taken(world: &World, by: OrganisationId, handshake: HandshakeId, offer: &str) -> Result<HandedOver, HandOverError> {
    let actor = partner(by);
    let env = world.env(&actor);
    let command = HandOver { handshake, offer: offer.to_owned() };
    world.platform.store().transaction(|uow| hand_over(uow, &env, &command))
}

fn signed(offer: Offer, key: &MemorySigner) -> String {
    Statement::Offer(offer).sign(key).expect("an envelope")
}

/// The accept of what was handed over.
fn accept(world: &World, made: &HandedOver, (taker, key): Holder<'_>) -> Countersign {
    let accept = Statement::Accept(Accept {
        assurance: Assurance::Own,
        declaration: None,
        handshake: made.handshake,
        kid: key.kid(),
        log: ORIGIN.to_owned(),
        offer_sha256: made.offer_sha256,
        party: PartyId::organisation(taker),
        salt: world.salt(),
        seen: nothing(),
        v: VERSION,
    });
    Countersign { handshake: made.handshake, accept: accept.sign(key).expect("an envelope") }
}

fn countersigned(world: &World, by: OrganisationId, command: &Countersign) -> Result<Digest, CountersignRefusal> {
    let mut outcomes = world.countersign_as(&partner(by), std::slice::from_ref(command)).expect("a batch");
    outcomes.remove(0).map(|sealed| sealed.seal_sha256)
}

/// A referral that the provider has accepted, and the digest of its seal.
fn accepted(world: &World, external_ref: &str) -> (Referred, Digest) {
    let made = world.refer(&world.signed(external_ref)).expect("a referral");
    let sealed = world.countersign(&world.accepted(&made)).expect("a seal");
    (made, sealed.seal_sha256)
}

fn found(world: &World, by: OrganisationId, handshakes: &[HandshakeId]) -> Vec<Result<Findings, Withheld>> {
    let wanted: Vec<Wanted> = handshakes.iter().copied().map(Wanted::Handshake).collect();
    let found = receipts::find(world.platform.store(), &partner(by), &wanted).expect("an answer");
    found.into_iter().map(|receipt| receipt.map(|receipt| verify(&world.platform.trust(), &receipt))).collect()
}

#[test]
fn a_deal_goes_from_partner_to_partner_and_the_chain_is_proved_back_to_the_first() {
    let world = World::new();
    let (introducer, provider) = (world.platform.introducer, world.platform.provider);
    let ((second, second_key), (third, third_key)) = (world.another_provider(51), world.another_provider(52));
    let (first, seal) = accepted(&world, "R-1");
    let envelope = signed(offer(&world, (provider, &world.provider_key), seal, second), &world.provider_key);
    let over = taken(&world, provider, first.handshake, &envelope).expect("a hand-over");
    let again = taken(&world, provider, first.handshake, &envelope).expect("the same");
    assert!(over.new && !again.new);
    assert_eq!(HandedOver { new: false, ..over.clone() }, again);
    assert_eq!((over.deal, over.previous), (first.deal, first.handshake));
    let moves = "select count(*) from deal_transition";
    let before = world.platform.number(moves);
    let command = accept(&world, &over, (second, &second_key));
    let seal = countersigned(&world, second, &command).expect("a seal");
    assert_eq!(countersigned(&world, second, &command), Ok(seal));
    // And on, by the second; the first may not any more.
    let envelope = signed(offer(&world, (second, &second_key), seal, third), &second_key);
    assert_eq!(taken(&world, provider, over.handshake, &envelope), Err(HandOverError::NotHolder));
    let further = taken(&world, second, over.handshake, &envelope).expect("a hand-over");
    let _ = countersigned(&world, third, &accept(&world, &further, (third, &third_key))).expect("a seal");
    assert_eq!(world.platform.number(moves), before, "a hand-over moves nothing");
    let lane = "select count(distinct l.lane) from chain_leaf l join handshake_statement s on s.id = l.source_id";
    let _ = world.platform.sequence();
    assert_eq!(world.platform.number(lane), 1);
    assert_eq!(
        world.platform.number("select max(n) from chain_leaf l join handshake_statement s on s.id = l.source_id"),
        8
    );

    let chain = [first.handshake, over.handshake, further.handshake];
    for organisation in [introducer, provider] {
        let mut all: Vec<Findings> =
            found(&world, organisation, &chain).into_iter().map(|f| f.expect("a receipt")).collect();
        assert!(all.iter().all(Findings::holds), "{all:?}");
        join(&mut all);
        let linked = |n: usize| {
            let text = format!("what {} sealed at leaf", chain[n - 1]);
            all[n].holds()
                && all[n].proved.iter().any(|line| line.contains(&text) && line.contains("had accepted it there"))
        };
        assert!(linked(1) && linked(2));
        assert!(all[1].proved.iter().any(|line| line.contains(&format!("{provider} hands over what the seal"))));
        assert!(all[1].not_proved.iter().any(|line| line.contains("before this hand-over")));
        assert_eq!(all.iter().filter(|findings| findings.handed_over.is_some()).count(), 2);
    }
    // Who took part in one hand-over gets the receipt of that one, and nothing of the deal.
    let seen = |by| found(&world, by, &chain).into_iter().map(|f| f.is_ok_and(|f| f.holds())).collect::<Vec<_>>();
    assert_eq!(seen(second), [false, true, true]);
    assert_eq!(seen(third), [false, false, true]);
    let viewer = Viewer::Parties(vec![third.uuid()]);
    let look = |id| world.platform.store().read(&viewer, |q| q.handshakes().find_handshake(id)).expect("a look");
    let shown = look(further.handshake).expect("it is theirs");
    assert_eq!((shown.stage.as_str(), shown.previous, shown.statements.len()), ("accepted", Some(over.handshake), 3));
    assert_eq!(look(over.handshake), None);
    let deal = world.platform.store().read(&viewer, |q| q.deals().find(first.deal)).expect("a look");
    assert!(deal.is_none());
    // All three seals say the same terms.
    let same = "select count(distinct (convert_from(decode(rpad(translate(p, '-_', '+/'), (length(p) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb
          -> 'agreement', convert_from(decode(rpad(translate(p, '-_', '+/'), (length(p) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb -> 'participants'))
        from handshake_statement s join chain_secret c on c.source_id = s.id cross join lateral (select split_part(convert_from(c.secret, 'UTF8'), '.', 2)) e (p)
        where s.kind = 'seal'";
    assert_eq!(world.platform.number(same), 1);
}

#[test]
fn a_hand_over_that_is_not_exactly_right_is_refused_and_leaves_nothing() {
    let world = World::new();
    let provider = world.platform.provider;
    let (second, second_key) = world.another_provider(51);
    let (first, seal) = accepted(&world, "R-1");
    let (_, other_seal) = accepted(&world, "R-2");
    let open = world.refer(&world.signed("R-3")).expect("a referral");
    let before = world.rows();
    let bent = |key: &MemorySigner, bend: &dyn Fn(&mut Offer)| {
        let mut offer = offer(&world, (provider, key), seal, second);
        bend(&mut offer);
        taken(&world, provider, first.handshake, &signed(offer, key)).expect_err("a refusal").code()
    };
    let own = &world.provider_key;
    assert_eq!(bent(own, &|o| o.log = "another.example/log".to_owned()), "log_mismatch");
    assert_eq!(bent(own, &|o| o.previous = Some(other_seal)), "previous_mismatch");
    assert_eq!(bent(own, &|o| o.previous = None), "previous_mismatch");
    assert_eq!(bent(own, &|o| o.row_sha256 = Some(seal)), "statement_malformed");
    assert_eq!(bent(own, &|o| o.referred = Some(PartyId::contact(first.client))), "statement_malformed");
    assert_eq!(bent(own, &|o| o.declaration = Some(seal)), "statement_malformed");
    assert_eq!(bent(own, &|o| o.to = PartyId::organisation(provider)), "unknown_provider");
    assert_eq!(bent(own, &|o| o.to = PartyId::organisation(world.platform.introducer)), "unknown_provider");
    assert_eq!(bent(own, &|o| o.to = PartyId::member(world.member)), "unknown_provider");
    assert_eq!(bent(own, &|o| o.party = PartyId::organisation(second)), "party_mismatch");
    assert_eq!(bent(own, &|o| o.assurance = Assurance::Custodial), "assurance_mismatch");
    assert_eq!(bent(own, &|o| o.handshake = open.handshake), "id_taken");
    assert_eq!(bent(&second_key, &|_| ()), "unknown_key");
    let good = signed(offer(&world, (provider, own), seal, second), own);
    let by = |organisation, handshake| taken(&world, organisation, handshake, &good).expect_err("a refusal").code();
    assert_eq!(by(world.platform.introducer, first.handshake), "not_holder");
    assert_eq!(by(second, first.handshake), "unknown_handshake");
    assert_eq!(by(provider, open.handshake), "handshake_not_sealed");
    assert_eq!(by(provider, HandshakeId::new(uuid::Uuid::nil())), "unknown_handshake");
    // A hand-over's offer makes no referral.
    let mut referral = world.signed("R-4");
    referral.offer = domain::deals::referral::OfferBy::Referrer(good.clone());
    assert_eq!(world.refer(&referral).expect_err("a refusal").code(), "unknown_key");
    assert_eq!(world.rows(), before);
    let _ =
        world.revoke(&partner(provider), world.key_id(own), RevokedBy::Word(RevocationReason::Lost)).expect("revoked");
    assert_eq!(by(provider, first.handshake), "key_ended");
}

#[test]
fn of_several_offers_the_first_accept_wins_and_only_the_one_who_was_asked_accepts() {
    let world = World::new();
    let provider = world.platform.provider;
    let (second, second_key) = world.another_provider(51);
    let (third, third_key) = world.another_provider(52);
    let (first, seal) = accepted(&world, "R-1");
    let to = |to| {
        let envelope = signed(offer(&world, (provider, &world.provider_key), seal, to), &world.provider_key);
        taken(&world, provider, first.handshake, &envelope).expect("a hand-over")
    };
    let (one, other) = (to(second), to(third));
    let command = accept(&world, &one, (second, &second_key));
    assert_eq!(countersigned(&world, third, &command), Err(CountersignRefusal::UnknownHandshake));
    assert_eq!(countersigned(&world, provider, &command), Err(CountersignRefusal::NotCounterparty));
    assert_eq!(countersigned(&world, world.platform.introducer, &command), Err(CountersignRefusal::NotCounterparty));
    // Both accept in one batch: the first is sealed, the other hears why not.
    let late = accept(&world, &other, (third, &third_key));
    let (second_actor, third_actor) = (partner(second), partner(third));
    let env = world.env(&second_actor);
    let asked = [
        domain::env::Asked { actor: &second_actor, command: &command },
        domain::env::Asked { actor: &third_actor, command: &late },
    ];
    let outcomes = world.platform.store().transaction(|uow| domain::deals::countersign::countersign(uow, &env, &asked));
    let outcomes = outcomes.expect("a batch");
    assert!(outcomes[0].as_ref().is_ok_and(|sealed| sealed.new));
    assert_eq!(outcomes[1], Err(CountersignRefusal::HandedOver));
    assert_eq!(countersigned(&world, third, &late), Err(CountersignRefusal::HandedOver));
    let envelope = signed(offer(&world, (provider, &world.provider_key), seal, third), &world.provider_key);
    assert_eq!(taken(&world, provider, first.handshake, &envelope), Err(HandOverError::HandedOver));
}

#[test]
fn whom_it_was_offered_to_sees_where_the_deal_stands_while_that_is_open() {
    let world = World::new();
    let provider = world.platform.provider;
    let ((second, second_key), (third, _)) = (world.another_provider(51), world.another_provider(52));
    let (first, seal) = accepted(&world, "R-1");
    let to = |to| {
        let envelope = signed(offer(&world, (provider, &world.provider_key), seal, to), &world.provider_key);
        taken(&world, provider, first.handshake, &envelope).expect("a hand-over")
    };
    let (one, other) = (to(second), to(third));
    let stage = |by: OrganisationId, id: HandshakeId| {
        let viewer = Viewer::Parties(vec![by.uuid()]);
        let found = world.platform.store().read(&viewer, |q| q.handshakes().find_handshake(id)).expect("a look");
        found.expect("it is theirs").stage
    };
    assert_eq!((stage(second, one.handshake), stage(third, other.handshake)), ("accepted".into(), "accepted".into()));
    let _ = countersigned(&world, second, &accept(&world, &one, (second, &second_key))).expect("a seal");
    assert_eq!((stage(second, one.handshake), stage(third, other.handshake)), ("accepted".into(), "closed".into()));
    for stood in ["contracted", "settled", "reversed"] {
        world.platform.tamper(&format!("update deal set stage = '{stood}'"));
        assert_eq!(stage(second, one.handshake), stood, "it has accepted");
        assert_eq!(stage(third, other.handshake), "closed");
        assert_eq!(stage(provider, other.handshake), stood, "it sees the deal");
        assert_eq!(stage(world.platform.introducer, other.handshake), stood);
    }
    // An offer that nobody has accepted ends with the deal.
    let (first, seal) = accepted(&world, "R-2");
    let envelope = signed(offer(&world, (provider, &world.provider_key), seal, third), &world.provider_key);
    let waits = taken(&world, provider, first.handshake, &envelope).expect("a hand-over");
    assert_eq!(stage(third, waits.handshake), "accepted");
    world.platform.tamper(&format!("update deal set stage = 'lost' where id = '{}'", first.deal.uuid()));
    assert_eq!(stage(third, waits.handshake), "closed");
    world.platform.tamper("update deal set stage = 'accepted'");
}

#[test]
fn many_who_accept_at_once_make_one_holder() {
    let world = World::new();
    let provider = world.platform.provider;
    let takers: Vec<(OrganisationId, MemorySigner)> = (51..55).map(|seed| world.another_provider(seed)).collect();
    let (first, seal) = accepted(&world, "R-1");
    let commands: Vec<(OrganisationId, Countersign)> = takers
        .iter()
        .map(|(taker, key)| {
            let envelope = signed(offer(&world, (provider, &world.provider_key), seal, *taker), &world.provider_key);
            let made = taken(&world, provider, first.handshake, &envelope).expect("a hand-over");
            (*taker, accept(&world, &made, (*taker, key)))
        })
        .collect();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let world = &world;
        let runs: Vec<_> = commands
            .iter()
            .map(|(taker, command)| scope.spawn(move || countersigned(world, *taker, command)))
            .collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(CountersignRefusal::HandedOver)).count(), 3);
}
