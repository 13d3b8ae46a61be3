//! A client is erased: nothing in the database tells of them any more, and everybody else's proof stands.

use api::cli::verify;
use domain::chain::leaf::{Leaf, commitment};
use domain::chain::receipts::{self, Wanted, Withheld};
use domain::chain::signer::Signer as _;
use domain::chain::statement::{PartyId, Salt, Statement};
use domain::chain::verify::verify as judge;
use domain::deals::countersign::CountersignRefusal;
use domain::directory::contact::{ContactKind, CreateContact, PersonalData};
use domain::directory::erase;
use domain::directory::text::{Email, PersonName, Phone};
use domain::guarantees::Guarantee;
use domain::guarantees::run::{RunLabel, examine};
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::{ContactId, GuaranteeRunId, HandshakeId};
use harness::platform::Platform;
use harness::server::Service;
use serde_json::json;

use crate::handshakes::{World, partner};
use crate::support::{HEADER, audit_of, bytes, holding, receipts, scratch, wanted};

/// What only the two that are erased are called, and nobody else in the database.
const WORDS: [&str; 6] = ["Quillon", "Brabazon", "unique-quillon", "491570156", "491 570 156", "Ozymandia"];
const ROWS: [&str; 2] = [
    "IMP-1,A2,Perpetua Ozymandia,FIXED-3Y,2025-05-15,2025-06-14,2025-08-05,500000.00,0.00,",
    "IMP-2,A2,Ann Other,FIXED-3Y,2025-05-15,2025-06-14,2025-08-05,400000.00,0.00,",
];

fn quillon() -> CreateContact {
    CreateContact {
        kind: ContactKind::Person,
        personal: PersonalData {
            name: PersonName::parse("Quillon Brabazon").expect("a name"),
            email: Some(Email::parse("unique-quillon@example.com").expect("an address")),
            phone: Some(Phone::parse("+61 491 570 156").expect("a number")),
        },
    }
}

fn file() -> Vec<u8> {
    format!("{HEADER}\n{}\n{}\n", ROWS[0], ROWS[1]).into_bytes()
}

/// Two people who are to be erased, one by a signed referral, one by an import that has paid; two others beside them.
fn world() -> World {
    let world = World::new();
    for (external_ref, client) in [("R-1", quillon()), ("R-2", crate::handshakes::client())] {
        let command = domain::deals::referral::Refer { client, ..world.signed(external_ref) };
        let made = world.refer(&command).expect("a referral");
        let _ = world.countersign(&world.accepted(&made)).expect("a handshake");
    }
    let report = world.platform.import(&file());
    assert_eq!(report.created, 2);
    world
}

/// The clients of the deals that partners call so.
fn client(platform: &Platform, external_ref: &str) -> ContactId {
    let sql = format!("select client_id as id from deal where external_ref = '{external_ref}'");
    ContactId::new(platform.ids_of(&sql)[0])
}

fn handshake(platform: &Platform, external_ref: &str) -> HandshakeId {
    let sql =
        format!("select h.id from handshake h join deal d on d.id = h.deal_id where d.external_ref = '{external_ref}'");
    HandshakeId::new(platform.ids_of(&sql)[0])
}

fn delete(service: &Service, contact: ContactId, etag: &str) -> harness::server::Reply {
    let authorization = format!("Bearer {}", service.partner());
    let headers = [("authorization", authorization.as_str()), ("if-match", etag)];
    service.send("DELETE", &format!("/v1/contacts/{contact}"), &headers, None)
}

#[test]
fn a_person_is_gone_from_every_column_and_everybody_elses_proof_stands() {
    let service = Service::over(world().platform);
    let platform = &service.platform;
    service.sequence();
    let (trust, before) = (platform.trust(), receipts(platform));
    let before: Vec<_> = before.into_iter().map(|receipt| receipt.expect("a receipt")).collect();
    let found = holding(platform, &WORDS);
    for column in ["personal_data.name", "personal_data.email", "personal_data.phone"] {
        assert!(found.contains(column), "what is looked for is there to be found: {found:?}");
    }
    let people = [client(platform, "R-1"), client(platform, "IMP-1")];
    for contact in people {
        let erased = delete(&service, contact, "\"1\"");
        assert_eq!((erased.status, erased.header("etag")), (204, Some("\"2\"")));
        // Once more changes nothing: no event, no leaf, no version.
        assert_eq!(delete(&service, contact, "\"2\"").header("etag"), Some("\"2\""));
    }
    assert_eq!(holding(platform, &WORDS), std::collections::BTreeSet::new());
    assert_eq!(platform.number("select count(*) from outbox where type = 'contact.erased'"), 2);
    assert_eq!(platform.number("select count(*) from chain_pending where kind = 'erasure'"), 2);
    assert_eq!(platform.number("select count(*) from audit_record where action = 'erase_contact'"), 4, "each act");
    service.sequence();

    let gone = [handshake(platform, "R-1"), handshake(platform, "IMP-1")];
    let mut erased = 0;
    for (wanted, receipt) in wanted(platform).into_iter().zip(receipts(platform)) {
        match receipt {
            Ok(receipt) => assert!(judge(&trust, &receipt).holds(), "{}", receipt.id),
            Err(withheld) => {
                assert_eq!(withheld, Withheld::Erased);
                assert!(matches!(wanted, Wanted::Handshake(id) if gone.contains(&id)), "{wanted:?}");
                erased += 1;
            }
        }
    }
    assert_eq!(erased, 2);
    for id in gone {
        let _ = service.get(&format!("/v1/handshakes/{id}/receipt"), &service.partner()).problem(410, "erased");
        let seen = service.get(&format!("/v1/handshakes/{id}"), &service.partner()).expect(200);
        assert!(seen["statements"].as_array().expect("three").iter().all(|s| s.get("envelope").is_none()), "{seen}");
    }
    // What somebody kept from before still proves what it proved, and the tool says so.
    let folder = scratch("kept-receipts");
    for receipt in &before {
        assert!(judge(&trust, receipt).holds(), "{}", receipt.id);
        std::fs::write(folder.join(format!("{}.json", receipt.id)), receipt.to_bytes().expect("bytes")).expect("kept");
    }
    let file = scratch("kept-trust").join("trust.json");
    std::fs::write(&file, trust.to_json().expect("JSON")).expect("written");
    let arguments = verify::VerifyArgs {
        trust: file,
        json: true,
        words: false,
        leaf: None,
        envelope: None,
        receipts: vec![folder],
    };
    assert_eq!(verify::run(&arguments).expect("it runs"), std::process::ExitCode::SUCCESS);

    let report = audit_of(platform, &[]);
    assert!(report.holds(), "{:?}", report.differences);
    assert_eq!((report.erased, report.unexported), (6, 0));
    let label =
        RunLabel { id: GuaranteeRunId::new(platform.ids.next()), kid: platform.signer.kid(), taken_at: platform.now };
    let run = examine(platform.store(), &trust, &label, &mut |_| ()).expect("the store answers");
    assert!(run.holds, "{:?}", run.guarantees);
    let attribution = run.guarantees.iter().find(|g| g.guarantee == Guarantee::Attribution).expect("a result");
    let counted = |what: &str| attribution.coverage[what];
    assert_eq!((counted("handshakes_erased"), counted("handshakes_sealed"), counted("erasures")), (2, 2, 2));
}

#[test]
fn an_erasure_tells_what_it_took_and_where_the_log_says_so() {
    let service = Service::over(world().platform);
    let platform = &service.platform;
    let contact = client(platform, "R-1");
    let path = format!("/v1/contacts/{contact}/erasures");
    assert_eq!(service.get(&path, &service.partner()).expect(200)["data"], json!([]));
    assert_eq!(delete(&service, contact, "\"1\"").status, 204);
    let told = service.get(&path, &service.partner()).expect(200)["data"][0].clone();
    assert_eq!(told.get("leaf_index"), None, "not yet");
    service.sequence();
    let told = service.get(&path, &service.partner()).expect(200)["data"][0].clone();
    let index = platform.number("select index from chain_leaf where kind = 'erasure'");
    assert_eq!(told["leaf_index"], json!(index));
    let (contact_went, deals, leaves) = (&told["contact"], &told["deals"], &told["leaves"]);
    assert_eq!((contact_went, deals, leaves, &told["kept"]), (&json!(true), &json!(1), &json!(3), &json!([])));
    let _ = service.get(&path, &service.stranger_of(platform.provider)).problem(404, "not_found");
}

#[test]
fn an_import_of_the_same_file_does_not_bring_the_person_back() {
    let service = Service::over(world().platform);
    let platform = &service.platform;
    assert_eq!(delete(&service, client(platform, "IMP-1"), "\"1\"").status, 204);
    let again = platform.import(&file());
    assert_eq!((again.unchanged, again.corrected), (2, 0));
    assert_eq!(holding(platform, &["Ozymandia"]), std::collections::BTreeSet::new());
    // What the row says otherwise is taken, still without a trace of the name.
    let other = format!("{HEADER}\n{}\n", ROWS[0].replace("500000.00", "510000.00"));
    assert_eq!(platform.import(other.as_bytes()).corrected, 1);
    assert_eq!(holding(platform, &["Ozymandia"]), std::collections::BTreeSet::new());
    let digests = "select count(*) from deal where external_ref = 'IMP-1' and source_sha256 is not null";
    assert_eq!(platform.number(digests), 0, "a digest of the row would tell the name to whoever guesses it");
}

#[test]
fn a_row_that_corrected_a_signed_referral_leaves_no_digest_of_the_name() {
    let service = Service::over(world().platform);
    let platform = &service.platform;
    let row = "R-1,A2,Quillon Brabazon,FIXED-3Y,2026-11-20,2026-11-21,2026-11-22,500000.00,0.00,";
    let import = |amount: &str| platform.import(format!("{HEADER}\n{}\n", row.replace("500000.00", amount)).as_bytes());
    let digests = "select count(*) from deal where external_ref = 'R-1' and source_sha256 is not null";
    assert_eq!(import("500000.00").corrected, 1);
    assert_eq!(platform.number(digests), 1);
    assert_eq!(delete(&service, client(platform, "R-1"), "\"1\"").status, 204);
    assert_eq!(platform.number(digests), 0, "a digest of the row would tell the name to whoever guesses it");
    assert_eq!((import("500000.00").unchanged, import("510000.00").corrected), (1, 1));
    assert_eq!(platform.number(digests), 0);
}

#[test]
fn a_row_that_corrects_a_signed_referral_after_the_erasure_leaves_none_either() {
    let service = Service::over(world().platform);
    let platform = &service.platform;
    assert_eq!(delete(&service, client(platform, "R-1"), "\"1\"").status, 204);
    let row = "R-1,A2,Quillon Brabazon,FIXED-3Y,2026-11-20,2026-11-21,2026-11-22,500000.00,0.00,";
    assert_eq!(platform.import(format!("{HEADER}\n{row}\n").as_bytes()).corrected, 1);
    let digests = "select count(*) from deal where external_ref = 'R-1' and source_sha256 is not null";
    assert_eq!(platform.number(digests), 0);
    assert_eq!(holding(platform, &WORDS[..5]), std::collections::BTreeSet::new());
}

#[test]
fn an_offer_that_is_erased_takes_no_more_signatures() {
    let world = World::new();
    let command = domain::deals::referral::Refer { client: quillon(), ..world.signed("R-1") };
    let made = world.refer(&command).expect("a referral");
    let actor = partner(world.platform.introducer);
    let env = world.env(&actor);
    let contact = client(&world.platform, "R-1");
    let erased = world.platform.store().transaction(|uow| erase::erase_contact(uow, &env, contact, 1));
    assert_eq!(erased.expect("erased").contact.after.version, 2);
    assert_eq!(world.countersign(&world.accepted(&made)), Err(CountersignRefusal::Erased));
    let _ = world.platform.sequence();
    let wanted = [Wanted::Handshake(made.handshake)];
    let found = receipts::find(world.platform.store(), &world.platform.actor, &wanted).expect("an answer");
    assert_eq!(found[0].as_ref().map(|_| ()), Err(&Withheld::Erased));
}

/// The operator itself is the strongest guesser: it has the key, so that it can sign every guess.
#[test]
fn nobody_guesses_a_person_from_a_leaf_without_its_salt() {
    let service = Service::over(world().platform);
    let platform = &service.platform;
    service.sequence();
    let wanted = [Wanted::Handshake(handshake(platform, "IMP-1"))];
    let receipt = receipts::find(platform.store(), &platform.actor, &wanted).expect("an answer").remove(0);
    let offer = receipt.expect("a receipt").items.remove(0);
    let Ok((_, Statement::Offer(known))) = Statement::parse(&offer.envelope) else { panic!("an offer") };
    let contact = client(platform, "IMP-1");
    assert_eq!(delete(&service, contact, "\"1\"").status, 204);
    let leaf = Leaf::parse(offer.leaf.as_bytes()).expect("a leaf").commitment;
    let stored =
        format!("select count(*) from chain_leaf where position('{}' in convert_from(leaf, 'UTF8')) > 0", offer.leaf);
    assert_eq!(platform.number(&stored), 1, "the leaf is still there for everybody to read");

    // The guesser knows every other word of the statement, every contact there is, and every salt that is left.
    let people = platform.ids_of("select id from contact");
    assert!(people.contains(&contact.uuid()) && people.len() > 4);
    let left = platform.ids_of("select source_id as id from chain_secret where kind = 'envelope'");
    assert!(left.len() > 8);
    let salts = left.iter().map(|source| salt_of(platform, *source));
    let guessed = (0..=255).map(|n| Salt([n; 32])).chain(salts).collect::<Vec<Salt>>();
    let commits = |person: uuid::Uuid, salt: Salt| {
        let referred = Some(PartyId::contact(ContactId::new(person)));
        let offer = Statement::Offer(domain::chain::statement::Offer { referred, salt, ..known.clone() });
        commitment(offer.sign(&platform.signer).expect("an envelope").as_bytes()) == leaf
    };
    for salt in &guessed {
        assert!(!commits(contact.uuid(), *salt), "a salt was guessed");
    }
    let found: Vec<_> = people.into_iter().filter(|person| commits(*person, known.salt)).collect();
    assert_eq!(found, [contact.uuid()], "with the salt, and only then, the leaf tells who it was");
}

fn salt_of(platform: &Platform, source: uuid::Uuid) -> Salt {
    let envelope = bytes(platform, &format!("select secret from chain_secret where source_id = '{source}'"));
    let (_, statement) = Statement::parse(std::str::from_utf8(&envelope).expect("text")).expect("a statement");
    match statement {
        Statement::Offer(s) => s.salt,
        Statement::Accept(s) => s.salt,
        Statement::Seal(s) => s.salt,
        Statement::KeyRegistration(s) => s.salt,
        Statement::KeyRotation(s) => s.salt,
        Statement::KeyRevocation(s) => s.salt,
        Statement::ImportDeclaration(s) => s.salt,
        Statement::AgreementApproval(s) => s.salt,
        Statement::PayoutApproval(s) => s.salt,
        Statement::Erasure(s) => s.salt,
    }
}
