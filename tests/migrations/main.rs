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

#[test]
fn a_service_that_ran_past_its_partitions_starts_again() {
    use diesel::connection::SimpleConnection as _;
    let platform = harness::platform::Platform::new();
    let mut owner = platform.owner();
    owner
        .batch_execute(
            "insert into idempotency_record (caller, key, created_on, fingerprint, status, content_type, body)
             values (gen_random_uuid(), 'late', current_date + 5, sha256(''), 200, 'application/json', '');
             insert into idempotency_record (caller, key, created_on, fingerprint, status, content_type, body)
             values (gen_random_uuid(), 'old', current_date - 40, sha256(''), 200, 'application/json', '');
             select keep_partitions(current_date + 2)",
        )
        .expect("the day that lies in the default partition stays there");
    assert_eq!(platform.number("select count(*) from idempotency_record where key = 'late'"), 1);
    assert_eq!(platform.number("select count(*) from idempotency_record where key = 'old'"), 0);
}
