//! Live and sandbox: what belongs to one is refused by the other, even with the same keys.

use domain::access::{Environment, Role};
use harness::server::{Identity, Service};
use serde_json::json;

use crate::{claims, client};

fn of(environment: Environment) -> Service {
    Service::identified(Identity { environment, keys: None })
}

#[test]
fn a_token_of_one_is_refused_by_the_other_and_each_says_what_it_is() {
    // Both sign with one key here, which they never should: the audience alone keeps them apart.
    let (live, sandbox) = (of(Environment::Live), of(Environment::Sandbox));
    for (own, other, name) in [(&live, &sandbox, "live"), (&sandbox, &live, "sandbox")] {
        let token = own.token(&[Role::Auditor], None, None);
        assert_eq!(own.get("/v1/me", &token).expect(200)["environment"], name);
        let _ = other.get("/v1/me", &token).problem(401, "unauthenticated");
    }
    let audience = |service: &Service| claims(&service.token(&[Role::Auditor], None, None))["aud"].clone();
    assert_eq!(
        (audience(&live), audience(&sandbox)),
        (json!("https://flip360.test"), json!("https://flip360.test/sandbox"))
    );
}

#[test]
fn a_secret_of_one_is_refused_by_the_other_whatever_its_database_says() {
    let (live, sandbox) = (of(Environment::Live), of(Environment::Sandbox));
    let (live_id, live_secret) = client(&live, &["auditor"]);
    let (sandbox_id, sandbox_secret) = client(&sandbox, &["auditor"]);
    assert!(live_secret.starts_with("flip_sk_") && !live_secret.starts_with("flip_sk_sandbox_"));
    assert!(sandbox_secret.starts_with("flip_sk_sandbox_"));
    let log_in = |service: &Service, id: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        service.form("/oauth/token", &form).status
    };
    assert_eq!(log_in(&live, &live_id, &live_secret), 200);
    assert_eq!(log_in(&sandbox, &sandbox_id, &sandbox_secret), 200);
    // As if one database had been copied into the other.
    for (service, id, secret) in [(&live, &live_id, &sandbox_secret), (&sandbox, &sandbox_id, &live_secret)] {
        let digest = domain::kernel::Digest::of(secret.as_bytes()).to_string();
        service.platform.tamper(&format!("update api_client set secret_sha256 = decode('{digest}', 'hex')"));
        assert_eq!(log_in(service, id, secret), 401);
    }
}
