//! Users, API clients and logins on real PostgreSQL.

mod embed;
mod http;
mod sessions;
mod users;

use std::collections::BTreeSet;

use domain::access::bootstrap::bootstrap;
use domain::access::client::{CreateApiClientInput, NewSecret};
use domain::access::code::SecondFactor;
use domain::access::error::LoginError;
use domain::access::login::{self, Login, PasswordLogin};
use domain::access::standing::StandingInput;
use domain::access::user::CreateUserInput;
use domain::access::{
    AccessError, Actor, ClientSecret, CreateApiClient, CreateUser, Environment, MissingScope, Password,
    PasswordHasher as _, Role, Scope, User, Viewer, service,
};
use domain::kernel::ids::ApiClientId;
use domain::kernel::{Instant, PageRequest};
use harness::platform::Platform;
use integrations::one_time_code::Hotp;
use integrations::password::Argon2Hasher;
use integrations::password_rules::Zxcvbn;
use integrations::sealing::Sealer;

const MEMBERS: &str = "member_ref,upline_ref\nM001,\nM002,M001\n";

fn standing(roles: &[&str], organisation: Option<String>, member: Option<String>) -> StandingInput {
    let roles = Some(roles.iter().map(ToString::to_string).collect());
    StandingInput { roles, organisation_id: organisation, member_id: member }
}

fn client_command(standing: StandingInput) -> CreateApiClient {
    CreateApiClient::parse(&CreateApiClientInput { name: Some("Portal".into()), standing }).expect("a command")
}

fn create_client(platform: &Platform, standing: StandingInput) -> Result<NewSecret, AccessError> {
    let command = client_command(standing);
    platform.store().transaction(|uow| service::create_client(uow, &platform.env(), &command))
}

fn create_user(platform: &Platform, email: &str, standing: StandingInput) -> Result<User, AccessError> {
    let raw = CreateUserInput {
        email: Some(email.into()),
        password: Some("correct horse battery".into()),
        standing,
        oidc: None,
    };
    let command = CreateUser::parse(&raw, &Zxcvbn).expect("a command");
    let hash = hasher().hash(&command.password).expect("a hash");
    platform.store().transaction(|uow| service::create_user(uow, &platform.env(), &command, &hash))
}

fn hasher() -> &'static Argon2Hasher {
    static HASHER: std::sync::OnceLock<Argon2Hasher> = std::sync::OnceLock::new();
    HASHER.get_or_init(|| Argon2Hasher::new().expect("a hasher"))
}

fn client_login(
    platform: &Platform,
    id: ApiClientId,
    secret: &str,
    asked: Option<&[Scope]>,
) -> Result<Login, LoginError> {
    let asked: Option<BTreeSet<Scope>> = asked.map(|scopes| scopes.iter().copied().collect());
    let secret = ClientSecret::presented(secret);
    platform.store().transaction(|uow| login::authenticate_client(uow, Environment::Live, id, &secret, asked.as_ref()))
}

fn user_login(platform: &Platform, email: &str, password: &str, now: Instant) -> Result<Login, LoginError> {
    let login = PasswordLogin {
        email: domain::directory::Email::parse(email).ok(),
        password: Password::parse(password).ok(),
        code: None,
        asked: None,
    };
    let sealer = Sealer::of(&platform.signer).expect("a sealer");
    let second = SecondFactor { vault: &sealer, codes: &Hotp };
    login::authenticate_user(platform.store(), hasher(), second, now, &login)
}

fn at(text: &str) -> Instant {
    Instant::new(text.parse().expect("a time"))
}

#[test]
fn the_first_start_makes_one_administrator_and_the_second_none() {
    let platform = Platform::new();
    let first = platform.store().transaction(|uow| bootstrap(uow, &platform.env())).expect("a first start");
    let first = first.expect("an administrator");
    let again = platform.store().transaction(|uow| bootstrap(uow, &platform.env())).expect("a second start");
    assert!(again.is_none());
    let login = client_login(&platform, first.client.id, first.secret.reveal(), None).expect("a login");
    assert_eq!(login.actor.scopes.len(), Scope::ALL.len());
    assert!(login.actor.sees_everything());
    assert_eq!(platform.number("select count(*) from api_client"), 1);
}

#[test]
fn two_first_starts_at_once_make_one_administrator() {
    let platform = Platform::new();
    let made: Vec<bool> = std::thread::scope(|scope| {
        let start = || platform.store().transaction(|uow| bootstrap(uow, &platform.env())).expect("a start").is_some();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|t| t.join().expect("no panic")).collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    assert_eq!(platform.number("select count(*) from api_client"), 1);
}

#[test]
fn a_secret_works_until_it_is_rotated_or_revoked_and_is_kept_nowhere() {
    let platform = Platform::new();
    let made = create_client(&platform, standing(&["partner_agent"], Some(platform.introducer.to_string()), None));
    let made = made.expect("a client");
    let id = made.client.id;
    let login = client_login(&platform, id, made.secret.reveal(), None).expect("a login");
    assert_eq!(login.actor.viewer(), Viewer::Parties(vec![platform.introducer.uuid()]));
    assert!(login.actor.acts_for(platform.introducer) && !login.actor.acts_for(platform.provider));
    for wrong in ["", "flip_sk_", "flip_sk_\0", made.secret.reveal().trim_end_matches(char::is_alphanumeric)] {
        assert_eq!(client_login(&platform, id, wrong, None), Err(LoginError::Refused));
    }
    let unknown = ApiClientId::new(platform.introducer.uuid());
    assert_eq!(client_login(&platform, unknown, made.secret.reveal(), None), Err(LoginError::Refused));
    let rotated =
        platform.store().transaction(|uow| service::rotate_secret(uow, &platform.env(), id)).expect("another secret");
    assert_eq!(client_login(&platform, id, made.secret.reveal(), None), Err(LoginError::Refused));
    assert!(client_login(&platform, id, rotated.secret.reveal(), None).is_ok());
    let stale = platform.store().transaction(|uow| service::revoke_client(uow, &platform.env(), id, Some(1)));
    assert_eq!(stale, Err(AccessError::Stale));
    let revoke =
        |version| platform.store().transaction(|uow| service::revoke_client(uow, &platform.env(), id, version));
    assert_eq!(revoke(Some(2)).map(|c| c.after.version), Ok(3));
    assert_eq!(revoke(None).map(|c| c.after.version), Ok(3));
    assert_eq!(client_login(&platform, id, rotated.secret.reveal(), None), Err(LoginError::Refused));
    let again = platform.store().transaction(|uow| service::rotate_secret(uow, &platform.env(), id).map(|_| ()));
    assert_eq!(again, Err(AccessError::Revoked));
    let leaks = format!("select count(*) from api_client c where c::text like '%{}%'", rotated.secret.reveal());
    assert_eq!(platform.number(&leaks), 0);
}

#[test]
fn a_token_has_the_scopes_asked_for_and_never_more_than_the_roles() {
    let platform = Platform::new();
    let made = create_client(&platform, standing(&["support"], None, None)).expect("a client");
    let login = |asked: &[Scope]| client_login(&platform, made.client.id, made.secret.reveal(), Some(asked));
    assert_eq!(login(&[Scope::DealsRead]).map(|l| l.actor.scopes), Ok(BTreeSet::from([Scope::DealsRead])));
    let refused = login(&[Scope::DealsRead, Scope::DealsWrite]);
    assert_eq!(refused, Err(LoginError::MissingScope(MissingScope(Scope::DealsWrite))));
    // Whether a scope is too much is told only to whoever knows the secret.
    let guess = client_login(&platform, made.client.id, "guess", Some(&[Scope::DealsWrite]));
    assert_eq!(guess, Err(LoginError::Refused));
}

#[test]
fn nobody_gives_what_they_do_not_have_and_parties_must_exist() {
    let mut platform = Platform::new();
    platform.onboard(MEMBERS);
    let introducer = Some(platform.introducer.to_string());
    let foreign = "member_00000000000000000000000001".to_owned();
    let wrong = create_client(&platform, standing(&["member"], introducer.clone(), Some(foreign)));
    let pointer = |e: AccessError| match e {
        AccessError::Invalid(faults) => faults.0.into_iter().map(|f| (f.pointer, f.code)).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    assert_eq!(wrong.err().map(pointer), Some(vec![("/member_id".to_owned(), "not_found")]));
    let nowhere =
        create_client(&platform, standing(&["partner_admin"], Some("org_00000000000000000000000001".into()), None));
    assert_eq!(nowhere.err().map(pointer), Some(vec![("/organisation_id".to_owned(), "not_found")]));
    for role in Role::ALL.into_iter().filter(|role| *role != Role::OperatorAdmin) {
        platform.actor = Actor {
            roles: BTreeSet::from([role]),
            scopes: role.scopes().iter().copied().collect(),
            ..Actor::service()
        };
        let refused = create_client(&platform, standing(&["investor"], None, None));
        assert_eq!(refused.err(), Some(AccessError::MissingScope(MissingScope(Scope::AccessAdmin))), "{role:?}");
    }
    // An administrator with a narrowed token cannot make somebody who may more.
    platform.actor = Actor { scopes: BTreeSet::from([Scope::AccessAdmin, Scope::CatalogueRead]), ..Actor::service() };
    let refused = create_client(&platform, standing(&["investor"], None, None));
    assert!(matches!(refused.err(), Some(AccessError::MissingScope(_))));
    assert_eq!(platform.number("select count(*) from api_client"), 0);
}

#[test]
fn a_user_logs_in_with_its_address_in_any_case_and_its_password() {
    let platform = Platform::new();
    let user = create_user(&platform, "Approver@Example.com", standing(&["approver"], None, None)).expect("a user");
    let taken = create_user(&platform, "approver@example.COM", standing(&["finance"], None, None));
    assert_eq!(taken.err(), Some(AccessError::EmailTaken));
    assert_eq!(platform.number("select count(*) from app_user"), 1);
    let login = user_login(&platform, "approver@example.com", "correct horse battery", platform.now).expect("a login");
    assert_eq!((login.actor.id, login.actor.roles), (user.id.uuid(), BTreeSet::from([Role::Approver])));
    for (email, password) in [
        ("approver@example.com", "correct horse batterx"),
        ("approver@example.com", "short"),
        ("nobody@example.com", "correct horse battery"),
        ("not an address", "correct horse battery"),
    ] {
        assert_eq!(user_login(&platform, email, password, platform.now), Err(LoginError::Refused), "{email}");
    }
    let plain = "select count(*) from app_user u where u::text like '%correct horse%'";
    assert_eq!(platform.number(plain), 0);
    assert_eq!(platform.number("select count(*) from app_user u where u::text ilike '%approver@%'"), 0);
}

#[test]
fn guessing_locks_for_a_while_and_a_right_password_ends_it() {
    let platform = Platform::new();
    create_user(&platform, "f@example.com", standing(&["finance"], None, None)).expect("a user");
    let attempt = |password: &str, time: &str| user_login(&platform, "f@example.com", password, at(time)).is_ok();
    let (right, wrong) = ("correct horse battery", "wrong horse battery");
    for _ in 0..4 {
        assert!(!attempt(wrong, "2026-11-23T12:00:00Z"));
    }
    assert!(attempt(right, "2026-11-23T12:00:00Z"), "four failures are forgiven");
    for _ in 0..5 {
        assert!(!attempt(wrong, "2026-11-23T12:00:00Z"));
    }
    assert!(!attempt(right, "2026-11-23T12:00:29Z"), "locked");
    assert!(attempt(right, "2026-11-23T12:00:30Z"), "the lock is over");
    assert_eq!(platform.number("select failures from app_user"), 0);
}

#[test]
fn a_burst_of_guesses_counts_each_of_them() {
    let platform = Platform::new();
    create_user(&platform, "f@example.com", standing(&["finance"], None, None)).expect("a user");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| user_login(&platform, "f@example.com", "wrong horse battery", platform.now));
        }
    });
    // Five are counted, then the lock is there and the others are refused without counting.
    assert_eq!(platform.number("select failures from app_user"), 5);
    assert!(user_login(&platform, "f@example.com", "correct horse battery", platform.now).is_err());
}

#[test]
fn lists_are_paged_and_stay_put_while_rows_are_added() {
    let platform = Platform::new();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(create_client(&platform, standing(&["auditor"], None, None)).expect("a client").client);
    }
    let page = |after| {
        let request = PageRequest { after, ..PageRequest::of(2) };
        platform.store().read(&Viewer::Everything, |q| q.access().list_clients(&request)).expect("a page")
    };
    let first = page(None);
    made.push(create_client(&platform, standing(&["auditor"], None, None)).expect("a client").client);
    let mut seen = first.data;
    let mut next = first.next;
    while let Some(key) = next {
        let page = page(Some(key));
        seen.extend(page.data);
        next = page.next;
    }
    assert_eq!(seen, made);
    let stranger = Viewer::Parties(vec![platform.introducer.uuid()]);
    let none = platform.store().read(&stranger, |q| q.access().list_clients(&PageRequest::first())).expect("a page");
    assert!(none.data.is_empty() && none.next.is_none());
    let broken = PageRequest { after: Some(vec![1, 2, 3]), ..PageRequest::of(2) };
    assert!(platform.store().read(&Viewer::Everything, |q| q.access().list_clients(&broken)).is_err());
    create_user(&platform, "a@example.com", standing(&["auditor"], None, None)).expect("a user");
    let users = platform.store().read(&Viewer::Everything, |q| q.access().list_users(&PageRequest::first()));
    let users = users.expect("a page").data;
    assert_eq!(
        users.iter().map(|u| u.email.as_ref().map(ToString::to_string)).collect::<Vec<_>>(),
        [Some("a@example.com".to_owned())]
    );
}
