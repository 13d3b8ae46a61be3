//! Keys of access tokens that change while requests run: nobody is refused.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::access::Role;
use domain::kernel::Instant;
use harness::neighbour::Neighbour;
use harness::server::{Identity, Service};
use integrations::key_file::KeyFile;
use integrations::randomness::SystemRandomness;
use integrations::token_keys::TokenKeyFiles;

/// A directory with keys as a first start makes them; it goes with the test.
struct Keys(PathBuf);

impl Keys {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("flip360-identity-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory");
        KeyFile::open_or_create(&path.join("token.pem"), &SystemRandomness).expect("a key");
        TokenKeyFiles::new(&path).prepare(&SystemRandomness).expect("a next key");
        Self(path)
    }

    fn files(&self) -> TokenKeyFiles {
        TokenKeyFiles::new(&self.0)
    }

    /// An hour and more after the last rotation, by the clock of the files.
    fn much_later(&self) -> Instant {
        let file = std::fs::metadata(self.0.join("token-next.pem")).expect("a file").modified().expect("a time");
        let at = jiff::Timestamp::try_from(file).expect("a time");
        Instant::new(at.checked_add(jiff::SignedDuration::from_hours(2)).expect("a time"))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kids(service: &Service) -> Vec<String> {
    let set = service.send("GET", "/.well-known/jwks.json", &[], None).expect(200);
    set["keys"].as_array().expect("keys").iter().map(|key| crate::text(key, "kid")).collect()
}

fn kid_of(token: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
    crate::text(&serde_json::from_slice(&header).expect("JSON"), "kid")
}

#[test]
fn two_processes_take_each_others_tokens_before_during_and_after_a_rotation() {
    let keys = Keys::new("rotation");
    let service = Service::identified(Identity { keys: Some(keys.0.clone()), ..Identity::default() });
    let neighbour = Neighbour::of(&service);
    let stopping = AtomicBool::new(false);
    let requests = AtomicU64::new(0);
    let token = || service.token(&[Role::Auditor], None, None);
    let before = token();
    std::thread::scope(|scope| {
        // Each process learns by itself, as it does in service, at its own pace.
        for app in [service.app.clone(), neighbour.app.clone()] {
            let stopping = &stopping;
            scope.spawn(move || api::workers::revocations(&app, stopping));
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while !stopping.load(Ordering::Acquire) {
                    let (mine, its) = (token(), neighbour_token(&neighbour));
                    for token in [&mine, &its, &before] {
                        assert_eq!(service.get("/v1/me", token).status, 200);
                        assert_eq!(neighbour.get("/v1/me", token).status, 200);
                        requests.fetch_add(2, Ordering::Relaxed);
                    }
                }
            });
        }
        let first = kid_of(&before);
        let wait = |what: &str, done: &dyn Fn() -> bool| {
            let begun = std::time::Instant::now();
            while !done() {
                assert!(begun.elapsed().as_secs() < 60, "{what}");
                std::thread::yield_now();
            }
        };
        let busy = requests.load(Ordering::Relaxed);
        wait("requests run", &|| requests.load(Ordering::Relaxed) > busy + 20);
        let signs = keys.files().rotate(&SystemRandomness, keys.much_later()).expect("rotated");
        wait("both sign with the next key", &|| {
            kid_of(&token()) == signs && kid_of(&neighbour_token(&neighbour)) == signs
        });
        let busy = requests.load(Ordering::Relaxed);
        wait("requests run on", &|| requests.load(Ordering::Relaxed) > busy + 20);
        let published = kids(&service);
        assert_eq!((&published[0], published.len()), (&signs, 3), "what signs, what will, what did");
        assert!(published.contains(&first));
        stopping.store(true, Ordering::Release);
        service.app.revoking.ring();
        neighbour.app.revoking.ring();
    });
}

fn neighbour_token(neighbour: &Neighbour) -> String {
    use domain::access::login::Login;
    use domain::access::{Methods, Standing, Subject};
    let id = neighbour.app.ids.next();
    let standing = Standing::try_new([Role::Auditor].into(), None, None).expect("a standing");
    let actor = standing.actor(id, None).expect("an actor");
    let subject = Subject::Client(domain::kernel::ids::ApiClientId::new(id));
    let login = Login { subject, actor, version: 1, methods: Methods::default(), session: None };
    neighbour.app.tokens.issue(&login, id, neighbour.app.clock.now()).expect("a token").token
}

#[test]
fn a_key_that_somebody_else_has_ends_every_token() {
    let keys = Keys::new("compromised");
    let service = Service::identified(Identity { keys: Some(keys.0.clone()), ..Identity::default() });
    let token = service.token(&[Role::Auditor], None, None);
    let _ = service.get("/v1/me", &token).expect(200);
    let _ = keys.files().replace(&SystemRandomness).expect("replaced");
    service.app.tokens.learn_keys().expect("learned");
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    let _ = service.get("/v1/me", &service.token(&[Role::Auditor], None, None)).expect(200);
}

#[test]
fn keys_that_cannot_be_read_leave_those_that_are_known() {
    use std::os::unix::fs::PermissionsExt as _;
    let keys = Keys::new("unreadable");
    let service = Service::identified(Identity { keys: Some(keys.0.clone()), ..Identity::default() });
    let token = service.token(&[Role::Auditor], None, None);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(keys.0.join("token.pem"), open).expect("permissions");
    assert!(service.app.tokens.learn_keys().is_err(), "others may read it");
    let _ = service.get("/v1/me", &token).expect(200);
    std::fs::remove_file(keys.0.join("token.pem")).expect("removed");
    assert!(service.app.tokens.learn_keys().is_err());
    let _ = service.get("/v1/me", &token).expect(200);
}
