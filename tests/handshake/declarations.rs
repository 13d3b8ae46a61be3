//! Declarations of imports.

use domain::chain::declaration::{DeclareError, declare, find_declared};
use domain::chain::registry::Declaration;
use domain::chain::signer::Signer;
use domain::chain::statement::{Declared, ImportDeclaration, PartyId, Statement, VERSION};
use domain::kernel::Digest;
use domain::kernel::fault::Reason;
use harness::platform::{MemorySigner, ORIGIN};

use crate::world::{World, nothing, partner};

fn statement(world: &World, file: &[u8]) -> ImportDeclaration {
    ImportDeclaration {
        consent: Declared { declared: true, text_sha256: None },
        disclosure: Declared { declared: true, text_sha256: None },
        file_sha256: Digest::of(file),
        import: None,
        kid: world.introducer_key.kid(),
        log: ORIGIN.to_owned(),
        organisation: PartyId::organisation(world.platform.introducer),
        salt: world.salt(),
        seen: nothing(),
        v: VERSION,
    }
}

fn declared(world: &World, envelope: &str) -> Result<Declaration, DeclareError> {
    let actor = partner(world.platform.introducer);
    let env = world.env(&actor);
    world.platform.store().transaction(|uow| declare(uow, &env, envelope))
}

fn bent(world: &World, key: &MemorySigner, bend: impl FnOnce(&mut ImportDeclaration)) -> String {
    let mut statement = statement(world, b"a file");
    statement.kid = key.kid();
    bend(&mut statement);
    let envelope = Statement::ImportDeclaration(statement).sign(key).expect("an envelope");
    match declared(world, &envelope) {
        Err(DeclareError::Statement(refusal)) => refusal.code().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_declared_file_is_found_by_its_envelope_and_no_other_file_is() {
    let world = World::new();
    let introducer = world.platform.introducer;
    let envelope =
        Statement::ImportDeclaration(statement(&world, b"a file")).sign(&world.introducer_key).expect("an envelope");
    let first = declared(&world, &envelope).expect("a declaration");
    assert_eq!(declared(&world, &envelope), Ok(first.clone()));
    assert_eq!(first.envelope_sha256, Digest::of(envelope.as_bytes()));
    assert_eq!(world.platform.number("select count(*) from chain_pending where kind = 'import_declaration'"), 1);
    let look = |organisation, envelope, file: &[u8]| {
        let file = Digest::of(file);
        world.platform.store().transaction(|uow| find_declared(uow, organisation, envelope, file))
    };
    assert_eq!(look(introducer, first.envelope_sha256, b"a file"), Ok(first.clone()));
    assert!(matches!(look(introducer, first.envelope_sha256, b"A file"), Err(DeclareError::OtherFile { .. })));
    assert_eq!(look(introducer, first.payload_sha256, b"a file"), Err(DeclareError::UnknownDeclaration));
    let foreign = look(world.platform.provider, first.envelope_sha256, b"a file");
    assert_eq!(foreign, Err(DeclareError::UnknownDeclaration));
}

#[test]
fn a_declaration_that_is_not_exactly_right_is_refused() {
    let world = World::new();
    let before = world.rows();
    let own = &world.introducer_key;
    assert_eq!(bent(&world, own, |s| s.log = "another.example/log".to_owned()), "log_mismatch");
    assert_eq!(bent(&world, own, |s| s.seen.size = 1), "seen_in_the_future");
    assert_eq!(bent(&world, own, |s| s.seen.root = Digest([1; 32])), "seen_not_published");
    let provider = PartyId::organisation(world.platform.provider);
    assert_eq!(bent(&world, own, |s| s.organisation = provider.clone()), "party_mismatch");
    // A member's key, a foreign key and an unknown key do not sign for the organisation.
    assert_eq!(bent(&world, &world.member_key, |_| ()), "unknown_key");
    assert_eq!(bent(&world, &world.provider_key, |s| s.organisation = provider), "unknown_key");
    assert_eq!(bent(&world, &MemorySigner::new(77), |_| ()), "unknown_key");
    assert_eq!(bent(&world, own, |s| s.consent.declared = false), "Err(NotDeclared)");
    assert_eq!(bent(&world, own, |s| s.disclosure.declared = false), "Err(NotDeclared)");
    assert_eq!(world.rows(), before);
}
