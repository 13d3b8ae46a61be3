//! Migrations go up, down and up again, and leave nothing behind when they are down.

use diesel::{Connection, PgConnection, RunQueryDsl};
use harness::cluster::TestDatabase;
use persistence::migrate;

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn count(url: &str, sql: &str) -> i64 {
    let mut connection = PgConnection::establish(url).expect("a connection");
    diesel::sql_query(sql).get_result::<Row>(&mut connection).expect("a count").n
}

#[test]
fn up_down_up() {
    let database = TestDatabase::empty();
    let url = database.url("flip360_owner");
    let today = "2026-11-23".parse().expect("a date");
    let tables =
        "select count(*) as n from pg_tables where schemaname = 'public' and tablename <> '__diesel_schema_migrations'";
    let functions = "select count(*) as n from pg_proc where pronamespace = 'public'::regnamespace";
    let folders =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).expect("the migrations").count();
    assert_eq!(migrate::run(&url, today).expect("up").len(), folders);
    let made = count(&url, tables);
    assert!(migrate::run(&url, today).expect("up again").is_empty());
    migrate::revert_all(&url).expect("down");
    assert_eq!((count(&url, tables), count(&url, functions)), (0, 0));
    assert_eq!(migrate::run(&url, today).expect("up once more").len(), folders);
    assert_eq!(count(&url, tables), made);
}
