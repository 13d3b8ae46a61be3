//! The private PostgreSQL: what it must survive, and what it must refuse.

use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use persistence::cluster::{Cluster, ClusterConfig, ClusterError, DATABASE, OWNER_ROLE};

fn scratch(name: &str) -> ClusterConfig {
    let root = std::env::temp_dir().join(format!("flip360-cluster-{}-{name}", std::process::id()));
    ClusterConfig::scratch(root)
}

fn connect(cluster: &Cluster) -> PgConnection {
    PgConnection::establish(&cluster.url(OWNER_ROLE, DATABASE)).expect("a connection")
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn rows(cluster: &Cluster) -> i64 {
    diesel::sql_query("select count(*) as n from kept").get_result::<Row>(&mut connect(cluster)).expect("a count").n
}

#[test]
fn data_survives_a_stop_and_a_kill_of_the_server() {
    let config = scratch("survives");
    let cluster = Cluster::start(&config).expect("it starts");
    connect(&cluster).batch_execute("create table kept (n int); insert into kept values (1), (2)").expect("written");
    cluster.stop().expect("it stops");

    let cluster = Cluster::start(&config).expect("it starts again");
    assert_eq!(rows(&cluster), 2);
    let pid = cluster.postmaster_pid().expect("a server").to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill runs").success());
    drop(cluster);

    let cluster = Cluster::start(&config).expect("it starts after the kill");
    assert_eq!(rows(&cluster), 2);
    cluster.stop().expect("it stops");
    std::fs::remove_dir_all(&config.data_dir).expect("the scratch directory goes");
}

#[test]
fn a_second_owner_is_refused_and_others_attach() {
    let config = scratch("second");
    assert!(Cluster::attach(&config.data_dir).expect("a look").is_none());
    let cluster = Cluster::start(&config).expect("it starts");
    assert!(matches!(Cluster::start(&config), Err(ClusterError::AlreadyServed { .. })));
    let attached = Cluster::attach(&config.data_dir).expect("a look").expect("it runs");
    assert!(PgConnection::establish(&attached.url(OWNER_ROLE, DATABASE)).is_ok());
    cluster.stop().expect("it stops");
    assert!(Cluster::attach(&config.data_dir).expect("a look").is_none());
    std::fs::remove_dir_all(&config.data_dir).expect("the scratch directory goes");
}

#[test]
fn the_server_is_not_root_and_listens_on_no_port() {
    let config = scratch("port");
    let cluster = Cluster::start(&config).expect("it starts");
    #[derive(diesel::QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        listen: String,
    }
    let setting = diesel::sql_query("select current_setting('listen_addresses') as listen")
        .get_result::<Setting>(&mut connect(&cluster))
        .expect("a setting");
    assert_eq!(setting.listen, "");
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", cluster.postmaster_pid().expect("a server")))
    {
        let uid = status.lines().find_map(|l| l.strip_prefix("Uid:")).expect("a uid");
        assert_ne!(uid.split_whitespace().next(), Some("0"));
    }
    cluster.stop().expect("it stops");
    std::fs::remove_dir_all(&config.data_dir).expect("the scratch directory goes");
}
