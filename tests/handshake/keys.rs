//! Registration of signing keys.

use domain::access::{Actor, Role, Scope, Viewer};
use domain::chain::registration::RegisterKeyError;
use domain::chain::signer::Signer;
use domain::chain::statement::{Assurance, KeyRegistration, PartyId, Statement};
use domain::kernel::PageRequest;
use domain::kernel::fault::Reason;
use domain::kernel::ids::{MemberId, OrganisationId};
use harness::platform::MemorySigner;

use crate::world::{World, of_member, partner};

fn code(error: &RegisterKeyError) -> String {
    match error {
        RegisterKeyError::Statement(refusal) => refusal.code().to_owned(),
        other => format!("{other:?}"),
    }
}

fn bent(world: &World, key: &MemorySigner, bend: impl FnOnce(&mut KeyRegistration)) -> Result<bool, String> {
    let party = PartyId::organisation(world.platform.introducer);
    let Statement::KeyRegistration(mut statement) = world.registration(party, key) else { panic!("a registration") };
    bend(&mut statement);
    let envelope = Statement::KeyRegistration(statement).sign(key).expect("an envelope");
    let registered = world.registered(&partner(world.platform.introducer), &envelope);
    registered.map(|r| r.new).map_err(|error| code(&error))
}

#[test]
fn a_key_is_registered_once_logged_once_and_seen_by_its_owner_only() {
    let world = World::new();
    let platform = &world.platform;
    let leaves = "select count(*) from chain_pending where kind = 'key_registration'";
    assert_eq!(platform.number(leaves), 3);
    let key = MemorySigner::new(30);
    let envelope =
        world.registration(PartyId::organisation(platform.introducer), &key).sign(&key).expect("an envelope");
    let first = world.registered(&partner(platform.introducer), &envelope).expect("a registration");
    let again = world.registered(&partner(platform.introducer), &envelope).expect("the same");
    assert!(first.new && !again.new);
    assert_eq!(first.key, again.key);
    assert_eq!(platform.number(leaves), 4);
    // Another statement for the same key, even for the same party, is not the same registration.
    assert_eq!(bent(&world, &key, |_| ()), Err("KeyTaken".to_owned()));
    let seen = |viewer: &Viewer| {
        let first = PageRequest::of(2);
        let page = platform.store().read(viewer, |q| q.keys().list_keys(&first)).expect("a page");
        let rest = PageRequest { after: page.next.clone(), ..PageRequest::of(200) };
        let rest = platform.store().read(viewer, |q| q.keys().list_keys(&rest)).expect("a page");
        page.data.len() + if page.next.is_some() { rest.data.len() } else { 0 }
    };
    assert_eq!(seen(&Viewer::Everything), 4);
    assert_eq!(seen(&Viewer::Parties(vec![platform.introducer.uuid()])), 3);
    assert_eq!(seen(&Viewer::Parties(vec![world.member.uuid()])), 1);
    assert_eq!(seen(&Viewer::Parties(vec![platform.provider.uuid()])), 1);
    let foreign = Viewer::Parties(vec![platform.provider.uuid()]);
    let found = platform.store().read(&foreign, |q| q.keys().find_key(first.key.id)).expect("a look");
    assert_eq!(found, None);
    let stopped = platform.refusal_of("update signing_key set assurance = 'custodial'").expect("a refusal");
    assert!(stopped.contains("permission denied"), "{stopped}");
}

#[test]
fn a_registration_that_is_not_exactly_right_is_refused() {
    let world = World::new();
    let key = MemorySigner::new(31);
    let other = MemorySigner::new(32);
    let before = world.rows();
    let cases: [(&str, Result<bool, String>); 7] = [
        ("log_mismatch", bent(&world, &key, |s| s.log = "another.example/log".to_owned())),
        ("statement_malformed", bent(&world, &key, |s| s.assurance = Assurance::Attested)),
        ("statement_malformed", bent(&world, &key, |s| s.next = Some(key.public_key().digest()))),
        ("statement_malformed", bent(&world, &key, |s| s.v = 2)),
        // The JWK of another key: the holder of this one proves nothing about it.
        ("kid_mismatch", bent(&world, &key, |s| s.jwk = other.public_key().jwk())),
        ("UnknownParty", bent(&world, &key, |s| s.party = PartyId::organisation(world.platform.provider))),
        ("UnknownParty", bent(&world, &key, |s| s.party = PartyId::platform())),
    ];
    for (expected, outcome) in cases {
        assert_eq!(outcome, Err(expected.to_owned()));
    }
    let nobody = [
        PartyId::organisation(OrganisationId::new(uuid::Uuid::nil())),
        PartyId::member(MemberId::new(uuid::Uuid::nil())),
    ];
    for party in nobody {
        assert_eq!(bent(&world, &key, |s| s.party = party), Err("UnknownParty".to_owned()));
    }
    let party = PartyId::member(world.member);
    let envelope = world.registration(party, &key).sign(&key).expect("an envelope");
    // The provider does not act for the introducer's member.
    let foreign = world.registered(&partner(world.platform.provider), &envelope);
    assert_eq!(foreign, Err(RegisterKeyError::UnknownParty));
    let mut powerless = partner(world.platform.introducer);
    powerless.scopes.remove(&Scope::ChainWrite);
    assert!(matches!(world.registered(&powerless, &envelope), Err(RegisterKeyError::Scope(_))));
    assert_eq!(world.rows(), before);
}

#[test]
fn only_the_member_registers_a_key_as_its_own() {
    let world = World::new();
    let (key, party) = (MemorySigner::new(34), PartyId::member(world.member));
    let said = |actor: &Actor, assurance: Assurance| {
        let Statement::KeyRegistration(mut statement) = world.registration(party.clone(), &key) else {
            panic!("a registration")
        };
        statement.assurance = assurance;
        let envelope = Statement::KeyRegistration(statement).sign(&key).expect("an envelope");
        world.registered(actor, &envelope).map(|registered| registered.key.assurance).map_err(|error| code(&error))
    };
    let before = world.rows();
    let introducer = world.platform.introducer;
    let agent = with_role(Role::PartnerAgent, Some(introducer));
    let operator = with_role(Role::OperatorAdmin, None);
    for other in [partner(introducer), agent, operator, Actor::service()] {
        assert_eq!(said(&other, Assurance::Own), Err("not_own_key".to_owned()), "{other:?}");
    }
    let sibling = of_member(introducer, world.keyless);
    assert_eq!(said(&sibling, Assurance::Own), Err("UnknownParty".to_owned()));
    assert_eq!(world.rows(), before);
    // The member says so of itself; of another key, whoever acts for it says that it is kept for the member.
    assert_eq!(said(&world.itself(), Assurance::Own), Ok(Assurance::Own));
    let kept = MemorySigner::new(35);
    let Statement::KeyRegistration(mut statement) = world.registration(party.clone(), &kept) else { panic!("one") };
    statement.assurance = Assurance::Custodial;
    let envelope = Statement::KeyRegistration(statement).sign(&kept).expect("an envelope");
    let registered = world.registered(&partner(introducer), &envelope).expect("a registration");
    assert_eq!(registered.key.assurance, Assurance::Custodial);
}

fn with_role(role: Role, organisation: Option<OrganisationId>) -> Actor {
    Actor { roles: [role].into(), scopes: role.scopes().iter().copied().collect(), organisation, ..Actor::service() }
}

#[test]
fn two_who_register_one_key_at_once_get_it_once() {
    let world = World::new();
    let key = MemorySigner::new(33);
    let envelope =
        world.registration(PartyId::organisation(world.platform.introducer), &key).sign(&key).expect("an envelope");
    let new: usize = std::thread::scope(|scope| {
        let actor = partner(world.platform.introducer);
        let (world, envelope) = (&world, &envelope);
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let actor = actor.clone();
                scope.spawn(move || usize::from(world.registered(&actor, envelope).expect("a registration").new))
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).sum()
    });
    assert_eq!(new, 1);
}
