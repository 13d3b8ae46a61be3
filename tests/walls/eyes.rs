//! A look straight into the database as the service's reader, with somebody's eyes: no use case, no route, no query
//! of the service stands between.

use diesel::connection::SimpleConnection as _;
use diesel::{PgConnection, RunQueryDsl};
use harness::platform::Platform;
use uuid::Uuid;

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// The lines that a query gives; each needs a column `line`.
pub fn lines(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let found: Vec<Line> = diesel::sql_query(sql).load(connection).unwrap_or_else(|error| panic!("{sql}: {error}"));
    found.into_iter().map(|row| row.line).collect()
}

/// Every table and partition of which the reader may select at least one column.
pub fn readable(platform: &Platform) -> Vec<String> {
    lines(
        &mut platform.owner(),
        "select relname::text as line from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
         and has_any_column_privilege('flip360_reader', oid, 'select') order by 1",
    )
}

/// A connection of the reader.
pub struct Eyes(PgConnection);

impl Eyes {
    /// Sees what these parties may see; `None` is everything.
    pub fn of(platform: &Platform, parties: Option<&[Uuid]>) -> Self {
        let parties = parties.map_or_else(
            || "*".to_owned(),
            |parties| parties.iter().map(Uuid::to_string).collect::<Vec<_>>().join(","),
        );
        let mut connection = platform.owner();
        let script = format!("set role flip360_reader; set flip360.parties = '{parties}'");
        connection.batch_execute(&script).expect("the role");
        Self(connection)
    }

    /// Every row of a table, as far as the reader may read it, each as one text: bytes show their readable parts.
    pub fn rows(&mut self, table: &str) -> Vec<String> {
        let columns = lines(
            &mut self.0,
            &format!(
                "select case when atttypid = 'bytea'::regtype then format('encode(%I, ''escape'')', attname) else format('%I::text', attname) end as line
                 from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped
                 and has_column_privilege('flip360_reader', attrelid, attnum, 'select') order by attnum"
            ),
        );
        lines(&mut self.0, &format!("select concat_ws(' ', {}) as line from {table}", columns.join(", ")))
    }
}
