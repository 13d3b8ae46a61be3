//! `flip360 admin` beside a running service, and two services that share keys and a database.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use persistence::cluster::{Cluster, ClusterConfig, DATABASE, OWNER_ROLE};
use serde_json::Value;

use crate::process::{Place, Service, flip360, run};

/// What an address answers to a token.
fn status(url: &str, token: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = agent.get(format!("{url}/v1/me")).header("authorization", format!("Bearer {token}")).call();
    answer.expect("an answer").status().as_u16()
}

fn signed_by(token: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a name").to_owned()
}

#[test]
fn a_rotation_by_hand_refuses_nobody_at_two_services_that_run() {
    let (place, other) = (Place::new("rotation"), Place::new("rotation-server"));
    let cluster = Cluster::start(&ClusterConfig::scratch(&other.0)).expect("a server");
    let url = cluster.url(OWNER_ROLE, DATABASE);
    let settings = [("DATABASE_URL", url.as_str()), ("FLIP360_PUBLIC_URL", "http://flip360.test")];
    let (first, second) = (Service::start(&place, &settings), Service::start(&place, &settings));
    let (stopping, requests) = (AtomicBool::new(false), AtomicU64::new(0));
    let old = first.administrator(&place.0);
    std::thread::scope(|scope| {
        for (issuing, asked) in [(&first, &second), (&second, &first)] {
            let (stopping, requests, place, old) = (&stopping, &requests, &place, &old);
            scope.spawn(move || {
                while !stopping.load(Ordering::Acquire) {
                    let token = issuing.administrator(&place.0);
                    assert_eq!((status(&asked.url, &token), status(&asked.url, old)), (200, 200));
                    requests.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let more = |n: u64| {
            let wanted = requests.load(Ordering::Relaxed) + n;
            while requests.load(Ordering::Relaxed) < wanted {
                std::thread::yield_now();
            }
        };
        more(10);
        let rotated = run(flip360().args(["admin", "rotate-token-key", "--data-dir"]).arg(&place.0));
        assert_eq!(rotated.status.code(), Some(0), "{}", rotated.err);
        for service in [&first, &second] {
            while !rotated.out.contains(&signed_by(&service.administrator(&place.0))) {
                std::thread::yield_now();
            }
        }
        more(10);
        stopping.store(true, Ordering::Release);
    });
    let again = run(flip360().args(["admin", "rotate-token-key", "--data-dir"]).arg(&place.0));
    assert_eq!(again.status.code(), Some(1), "tokens of the first key are good for a while");
    assert!(again.err.contains("--compromised"), "{}", again.err);
    let gone = run(flip360().args(["admin", "rotate-token-key", "--compromised", "--data-dir"]).arg(&place.0));
    assert_eq!(gone.status.code(), Some(0), "{}", gone.err);
    while status(&first.url, &old) == 200 || status(&second.url, &old) == 200 {
        std::thread::yield_now();
    }
    for service in [first, second] {
        assert_eq!(service.end("-TERM").0.code(), Some(0));
    }
    cluster.stop().expect("it stops");
}

#[test]
fn users_and_clients_are_made_by_hand_and_every_fault_is_told() {
    let place = Place::new("admin");
    let service = Service::start(&place, &[]);
    let client = run(flip360()
        .args(["admin", "create-client", "--name", "By hand", "--role", "auditor", "--data-dir"])
        .arg(&place.0));
    assert_eq!(client.status.code(), Some(0), "{}", client.err);
    let json = &client.out[client.out.find('{').expect("JSON")..];
    let made: Value = serde_json::from_str(json).expect("JSON");
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made["client_id"].as_str().expect("an id"),
        made["client_secret"].as_str().expect("a secret")
    );
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let log_in = |form: &str| {
        let request = ureq::post(format!("{}/oauth/token", service.url)).header(form_type.0, form_type.1);
        request.send(form).expect("a token").status().as_u16()
    };
    assert_eq!(log_in(&form), 200);

    let create = |email: &str, role: &str, password: &str| {
        let mut command = flip360();
        command.args(["admin", "create-user", "--email", email, "--role", role, "--data-dir"]).arg(&place.0);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        child.stdin.take().expect("a pipe").write_all(password.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    let (code, told) = create("ann@example.com", "finance", "gannet lantern ochre tram\n");
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(log_in("grant_type=password&username=ann@example.com&password=gannet+lantern+ochre+tram"), 200);
    let (code, told) = create("nobody", "king", "short");
    assert_eq!(code, Some(1));
    for fault in ["email:", "password:", "roles/0:"] {
        assert!(told.contains(fault), "{fault} {told}");
    }
    let (code, told) = create("ann@example.com", "finance", "gannet lantern ochre tram");
    assert_eq!((code, told.contains("exists")), (Some(1), true), "{told}");
    let help = run(flip360().args(["admin", "--help"]));
    for command in ["create-user", "create-client", "rotate-token-key"] {
        assert!(help.out.contains(command), "{}", help.out);
    }
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}
