//! `flip360 sign`, and the recipes of `docs/signing.md` exactly as they stand there. A recipe whose tool is not
//! installed is named and counted.

use std::io::Write;
use std::process::{Command, Stdio};

use clap::Parser;
use domain::chain::signer::Signer;
use domain::chain::statement::{PartyId, Statement};
use domain::deals::draft::{Draft, Prepared, prepare};
use domain::deals::referral::{OfferBy, Refer};
use domain::kernel::Digest;
use ed25519_dalek::pkcs8::{EncodePrivateKey, KeypairBytes};
use harness::skip::skip;

use crate::world::{World, client, partner};

const GUIDE: &str = include_str!("../../docs/signing.md");

/// A folder of one test, gone with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("flip360-signing-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        path.to_str().expect("a path").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The code block of a language in the guide.
fn recipe(language: &str) -> &'static str {
    let (_, after) = GUIDE.split_once(&format!("```{language}\n")).expect("a block");
    after.split_once("```").expect("its end").0
}

/// The member's key as a file, as OpenSSL writes it: version 1, without the public half.
fn key(folder: &Folder) -> String {
    let pem = KeypairBytes { secret_key: [21; 32], public_key: None }.to_pkcs8_pem(Default::default()).expect("a PEM");
    folder.write("member.pem", pem.as_bytes())
}

fn prepared(world: &World, external_ref: &str) -> Prepared {
    let actor = partner(world.platform.introducer);
    let env = world.env(&actor);
    let draft = Draft::Offer { terms: Box::new(world.terms(external_ref)), kid: world.member_key.kid() };
    world.platform.store().transaction(|uow| prepare(uow, &env, &draft)).expect("a statement")
}

fn answer(prepared: &Prepared) -> String {
    serde_json::json!({"statement": prepared.statement, "signing_input": prepared.signing_input}).to_string()
}

/// Runs a program; its standard output.
fn ran(program: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program} failed");
    String::from_utf8(output.stdout).expect("a text").trim_end().to_owned()
}

/// Whether a program runs at all here.
fn there(program: &str, args: &[&str]) -> bool {
    let quiet = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = quiet.is_ok_and(|status| status.success());
    if !there {
        skip(&format!("`{program} {}` does not run here: its recipe of docs/signing.md is not tried", args.join(" ")));
    }
    there
}

fn taken(world: &World, external_ref: &str, envelope: String) {
    let terms = world.terms(external_ref);
    let made = world.refer(&Refer { client: client(), terms, offer: OfferBy::Referrer(envelope) });
    assert!(made.expect("a referral").new);
}

#[test]
fn the_python_recipe_signs() {
    if !there("python3", &["-c", "import cryptography"]) {
        return;
    }
    let (world, folder) = (World::new(), Folder::new("python"));
    let script = folder.write("sign.py", recipe("python").as_bytes());
    let offer = prepared(&world, "P-1");
    taken(&world, "P-1", ran("python3", &[&script, &key(&folder)], &answer(&offer)));
}

#[test]
fn the_node_recipe_signs() {
    if !there("node", &["--version"]) {
        return;
    }
    let (world, folder) = (World::new(), Folder::new("node"));
    let script = folder.write("sign.mjs", recipe("js").as_bytes());
    let offer = prepared(&world, "J-1");
    taken(&world, "J-1", ran("node", &[&script, &key(&folder)], &answer(&offer)));
}

#[test]
fn the_openssl_recipe_signs() {
    if !there("openssl", &["pkeyutl", "-help"]) {
        return;
    }
    let (world, folder) = (World::new(), Folder::new("openssl"));
    let script = folder.write("sign.sh", recipe("sh").as_bytes());
    let offer = prepared(&world, "O-1");
    taken(&world, "O-1", ran("sh", &[&script, &key(&folder)], &offer.signing_input));
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: api::cli::sign::SignArgs,
}

fn sign(line: &[&str], input: &str) -> Result<String, String> {
    let line = Line::try_parse_from([&["sign"], line].concat()).map_err(|e| e.to_string())?;
    api::cli::sign::signed(&line.args, &mut input.as_bytes()).map_err(|e| e.to_string())
}

#[test]
fn the_command_signs_what_was_prepared_and_nothing_else() {
    let (world, folder) = (World::new(), Folder::new("command"));
    let key = key(&folder);
    let offer = prepared(&world, "C-1");
    let envelope = sign(&["offer", "--key", &key], &answer(&offer)).expect("an envelope");
    assert!(envelope.starts_with(&format!("{}.", offer.signing_input)));
    assert!(sign(&["accept", "--key", &key], &answer(&offer)).is_err_and(|e| e.contains("type offer")));
    assert!(sign(&["offer", "--key", &key], "{}").is_err());
    let other = sign(&["offer", "--key", &format!("{key}.other")], &answer(&offer));
    assert!(other.is_err_and(|e| e.contains("names key")));
    taken(&world, "C-1", envelope);
}

#[test]
fn a_key_that_the_command_makes_is_read_by_other_tools() {
    let folder = Folder::new("key");
    let key = folder.0.join("made.pem").to_str().expect("a path").to_owned();
    let shown = sign(&["key", "--key", &key], "").expect("a key");
    assert_eq!(sign(&["key", "--key", &key], "").as_ref(), Ok(&shown));
    if there("openssl", &["pkeyutl", "-help"]) {
        let text = ran("openssl", &["pkey", "-in", &key, "-text"], "");
        assert!(text.contains("ED25519 Private-Key"), "{text}");
    }
    if there("python3", &["-c", "import cryptography"]) {
        let script = folder.write("sign.py", recipe("python").as_bytes());
        let signed = ran("python3", &[&script, &key], r#"{"signing_input": "a.b"}"#);
        assert_eq!((signed.len(), signed.starts_with("a.b.")), (4 + 86, true));
    }
}

#[test]
fn the_command_rotates_to_the_promised_key_and_revokes() {
    use domain::chain::revocation::RevokedBy;
    let (world, folder) = (World::new(), Folder::new("rotates"));
    let file = |name: &str| folder.0.join(name).to_str().expect("a path").to_owned();
    let (old, new, public) = (file("old.pem"), file("new.pem"), file("new.pub"));
    let organisation = world.platform.introducer;
    let (actor, party, log) = (partner(organisation), organisation.to_string(), harness::platform::ORIGIN);
    let _ = sign(&["key", "--key", &new], "").expect("a key");
    let next = integrations::key_file::KeyFile::open_or_create(
        std::path::Path::new(&new),
        &integrations::randomness::SystemRandomness,
    );
    let next = next.expect("the key");
    std::fs::write(&public, next.public_key().pem().expect("a PEM")).expect("a file");
    let line = ["registration", "--key", &old, "--party", &party, "--log", log, "--next", &public];
    let registered = world.registered(&actor, &sign(&line, "").expect("an envelope")).expect("a registration");
    let to_another =
        sign(&["rotation", "--key", &old, "--to", &file("other.pem"), "--party", &party, "--log", log], "");
    let refused = world.rotate(&actor, registered.key.id, &to_another.expect("an envelope"));
    assert!(refused.is_err_and(|error| format!("{error:?}").contains("KeyNotPromised")));
    let rotation = sign(&["rotation", "--key", &old, "--to", &new, "--party", &party, "--log", log], "");
    let rotated = world.rotate(&actor, registered.key.id, &rotation.expect("an envelope")).expect("a rotation");
    assert_eq!(rotated.key.public, next.public_key());
    let line = ["revocation", "--key", &new, "--party", &party, "--log", log, "--reason"];
    assert!(sign(&[line.as_slice(), &["bored"]].concat(), "").is_err_and(|e| e.contains("lost")));
    let revocation = sign(&[line.as_slice(), &["retired"]].concat(), "").expect("an envelope");
    let revoked = world.revoke(&actor, rotated.key.id, RevokedBy::Party(revocation)).expect("a revocation");
    assert_eq!(revoked.status(), "revoked");
    // By another key of the same party.
    let kid = world.introducer_key.kid();
    let registration = sign(&["registration", "--key", &file("third.pem"), "--party", &party, "--log", log], "");
    let _ = world.registered(&actor, &registration.expect("an envelope")).expect("a registration");
    let line =
        ["revocation", "--key", &file("third.pem"), "--party", &party, "--log", log, "--reason", "lost", "--kid", &kid];
    let revocation = RevokedBy::Party(sign(&line, "").expect("an envelope"));
    assert!(world.revoke(&actor, world.key_id(&world.introducer_key), revocation).is_ok());
}

#[test]
fn the_command_forms_registrations_and_declarations() {
    let (world, folder) = (World::new(), Folder::new("forms"));
    let key = folder.0.join("new.pem").to_str().expect("a path").to_owned();
    let organisation = world.platform.introducer;
    let actor = partner(organisation);
    let log = harness::platform::ORIGIN;
    let party = organisation.to_string();
    let registration =
        sign(&["registration", "--key", &key, "--party", &party, "--log", log], "").expect("an envelope");
    assert!(world.registered(&actor, &registration).expect("a registration").new);
    let file = folder.write("deals.csv", b"a file");
    let line = ["declaration", "--key", &key, "--file", &file, "--organisation", &party, "--log", log];
    let denied = sign(&line, "").expect("an envelope");
    let line = [line.as_slice(), &["--consent", "--disclosure"]].concat();
    let declaration = sign(&line, "").expect("an envelope");
    let env = world.env(&actor);
    let declare = |envelope: &str| {
        world.platform.store().transaction(|uow| domain::chain::declaration::declare(uow, &env, envelope))
    };
    assert_eq!(declare(&denied), Err(domain::chain::declaration::DeclareError::NotDeclared));
    assert_eq!(declare(&declaration).expect("a declaration").file_sha256, Digest::of(b"a file"));
    let (_, statement) = Statement::parse(&registration).expect("a statement");
    let Statement::KeyRegistration(statement) = statement else { panic!("a registration") };
    assert_eq!(statement.party, PartyId::organisation(organisation));
    assert!(sign(&["registration", "--key", &key, "--party", "Org 1", "--log", log], "").is_err());
}
