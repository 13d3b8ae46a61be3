//! The binary as others run it: what survives its death, how it stops, whom it lets in beside it.

#![expect(clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod admin;
mod process;
mod workers;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use persistence::cluster::{Cluster, ClusterConfig, DATABASE, OWNER_ROLE, survey};
use process::{Place, Service, alive, flip360, run};

#[test]
fn what_was_answered_survives_kill_9_of_the_service() {
    let place = Place::new("kill");
    let service = Service::start(&place, &[]);
    assert!(service.greeting.contains("admin.json"), "the first start says where the secret is: {}", service.greeting);
    let mode = std::fs::metadata(place.0.join("admin.json")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = service.administrator(&place.0);
    let id = service.make(&token, "Kept");
    service.kill();

    let service = Service::start(&place, &[]);
    assert!(!service.greeting.contains("admin.json"), "there is one administrator: {}", service.greeting);
    let token = service.administrator(&place.0);
    assert_eq!(service.name_of(&token, &id), "Kept");
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn on_a_port_that_the_system_chose_the_issuer_is_the_address_that_answers() {
    let place = Place::new("issuer");
    let service = Service::start(&place, &[]);
    let url = format!("{}/.well-known/oauth-authorization-server", service.url);
    let metadata: serde_json::Value = ureq::get(&url).call().expect("an answer").body_mut().read_json().expect("JSON");
    assert!(!service.url.ends_with(":0") && service.url.starts_with("http://127.0.0.1:"));
    assert_eq!(metadata["issuer"], service.url);
    assert_eq!(metadata["token_endpoint"], format!("{}/oauth/token", service.url));
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn a_log_is_not_forked_by_another_key_another_name_or_a_lost_mark() {
    let place = Place::new("fork");
    let service = Service::start(&place, &[]);
    let token = service.administrator(&place.0);
    let _ = service.make(&token, "Kept");
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    let refused = |what: &str, settings: &[&str]| {
        let mut command = flip360();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).args(settings);
        let said = run(&mut command);
        assert_eq!(said.status.code(), Some(1), "{what}: {}{}", said.out, said.err);
        assert!(said.err.contains(what), "{what}: {}", said.err);
    };
    refused("--log-origin", &["--log-origin", "other/log"]);
    for file in ["log.high-water", "keys/log.pem", "keys/platform.pem"] {
        let (here, away) = (place.0.join(file), place.0.join("away"));
        std::fs::rename(&here, &away).expect("moved");
        refused(file, &[]);
        assert!(!here.exists(), "{file} is not made anew");
        std::fs::rename(&away, &here).expect("put back");
    }
    let service = Service::start(&place, &[]);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn a_database_server_that_was_left_behind_is_stopped_by_the_next_owner() {
    let place = Place::new("orphan");
    let service = Service::start(&place, &[]);
    let token = service.administrator(&place.0);
    let id = service.make(&token, "Kept");
    assert_eq!(service.end("-TERM").0.code(), Some(0));

    // Without a parent-death signal this is what a killed owner leaves: its server, bound to nobody.
    let data = place.0.join("cluster/data").canonicalize().expect("the data");
    let owner = std::fs::metadata(&data).expect("the data");
    let socket = data.parent().expect("the cluster").join("socket");
    let mut command = Command::new(survey::server().expect("a server").directory.join("postgres"));
    command.arg("-D").arg(&data).args(["-c", "listen_addresses=", "-c", "port=5432", "-c"]);
    command
        .arg(format!("unix_socket_directories={}", socket.display()))
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/");
    if owner.uid() != std::fs::metadata("/proc/self").expect("ourselves").uid() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut orphan =
        command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().expect("it starts");
    while place.database_server() != Some(orphan.id()) {
        assert_eq!(orphan.try_wait().expect("a look"), None, "the orphan runs");
        std::thread::yield_now();
    }

    let service = Service::start(&place, &[]);
    assert!(orphan.wait().is_ok(), "the orphan ended");
    assert!(place.database_server().is_some_and(|pid| pid != orphan.id()), "another one serves now");
    let token = service.administrator(&place.0);
    assert_eq!(service.name_of(&token, &id), "Kept");
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn sigterm_and_ctrl_c_stop_the_service_and_its_database_server() {
    let place = Place::new("stop");
    for name in ["-TERM", "-INT"] {
        let service = Service::start(&place, &[]);
        let server = place.database_server().expect("a database server");
        let (status, said) = service.end(name);
        assert_eq!(status.code(), Some(0), "{name}");
        assert!(said.ends_with("Stopped.\n"), "{name}: {said}");
        assert!(!alive(server), "{name}: the database server ended before the service did");
    }
    let log = std::fs::read_to_string(place.0.join("postgres.log")).expect("the server's log");
    assert_eq!(log.matches("database system is shut down").count(), 2, "both in order: {log}");
    assert!(!log.contains("not properly shut down"), "{log}");
}

#[test]
fn a_second_service_says_so_and_leaves_and_other_commands_attach() {
    let place = Place::new("second");
    let service = Service::start(&place, &[]);
    let token = service.administrator(&place.0);
    let id = service.make(&token, "First");

    let second = run(flip360().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0));
    assert_eq!(second.status.code(), Some(1));
    assert!(second.err.contains(&format!("already served by process {}", service.pid())), "{}", second.err);

    let migrate = run(flip360().arg("migrate").arg("--data-dir").arg(&place.0));
    assert_eq!(migrate.status.code(), Some(0), "{}", migrate.err);
    assert!(migrate.out.contains("0 migrations ran"), "{}", migrate.out);

    let doctor = run(flip360().args(["doctor", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0));
    assert_eq!(doctor.status.code(), Some(0), "{}", doctor.out);
    assert!(doctor.out.contains(&format!("process {} has this data directory", service.pid())), "{}", doctor.out);
    assert!(doctor.out.contains("none to run"), "{}", doctor.out);

    assert_eq!(service.name_of(&token, &id), "First", "the first one is as it was");
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn a_named_server_is_used_and_left_running() {
    let (place, other) = (Place::new("named"), Place::new("named-server"));
    let cluster = Cluster::start(&ClusterConfig::scratch(&other.0)).expect("a server");
    let url = cluster.url(OWNER_ROLE, DATABASE);
    let settings = [("DATABASE_URL", url.as_str())];

    let before = run(flip360().args(["doctor", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).envs(settings));
    assert_eq!(before.status.code(), Some(0), "{}", before.out);
    assert!(before.out.contains("0 migrations, "), "looking runs none: {}", before.out);
    assert!(!place.0.exists(), "looking makes nothing");

    let service = Service::start(&place, &settings);
    assert!(!service.greeting.contains("private PostgreSQL"), "{}", service.greeting);
    let token = service.administrator(&place.0);
    let id = service.make(&token, "There");
    assert!(!place.0.join("cluster").exists(), "no cluster of its own");
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    assert!(cluster.postmaster_pid().is_some_and(alive), "not its server to stop");

    let service = Service::start(&place, &settings);
    let token = service.administrator(&place.0);
    assert_eq!(service.name_of(&token, &id), "There");
    service.kill();

    let after = run(flip360().args(["doctor", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).envs(settings));
    assert!(after.out.contains("none to run"), "{}", after.out);
    cluster.stop().expect("it stops");
    let gone = run(flip360().args(["doctor", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).envs(settings));
    assert_eq!(gone.status.code(), Some(1), "{}", gone.out);
    assert!(gone.out.contains("WRONG database"), "{}", gone.out);
}

#[test]
fn a_taken_port_leaves_nothing_running() {
    let place = Place::new("port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let refused = run(flip360().args(["serve", "--listen", &address, "--data-dir"]).arg(&place.0));
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.err.contains("--listen"), "{}", refused.err);
    assert_eq!(place.database_server(), None);
    assert!(!place.0.join("keys").exists(), "a service without an address makes nothing");

    assert_eq!(Service::start(&place, &[]).end("-TERM").0.code(), Some(0));
    let key = place.0.join("keys/log.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("opened to others");
    let doctor = run(flip360().args(["doctor", "--listen", &address, "--data-dir"]).arg(&place.0));
    assert_eq!(doctor.status.code(), Some(1));
    assert!(doctor.out.contains("chmod 600") && doctor.out.contains("taken by another program"), "{}", doctor.out);
    assert!(doctor.out.contains("2 things are wrong."), "{}", doctor.out);
    let refused = run(flip360().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0));
    assert_eq!(refused.status.code(), Some(1), "a key that others may read is refused");
    assert!(refused.err.contains("chmod 600"), "{}", refused.err);
}
