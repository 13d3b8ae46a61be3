//! A fixed SQL text with its binds, prepared once a connection and then reused.
//!
//! Set-based statements take arrays (`unnest($1, …)`), so their text never changes with the number
//! of rows and PostgreSQL parses and plans them once; Diesel's `sql_query` would do so each time.
//! The text is `&'static str`: SQL cannot be built at run time.
//!
//! Invariants: placeholders stand in the text as `$1`, `$2`, … once each and in the order of the binds (their
//! numbers are for the reader: where a text is put together of parts, they may begin again); the row type `ST`
//! names the SQL types of the selected columns in their order.

use std::marker::PhantomData;

use diesel::RunQueryDsl;
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;

/// A fixed text, its bound values, and the SQL types of the rows it gives.
pub struct Statement<'v, ST = ()> {
    sql: &'static str,
    binds: Vec<Box<dyn QueryFragment<Pg> + Send + 'v>>,
    rows: PhantomData<ST>,
}

/// A statement whose rows nobody reads.
pub fn command<'v>(sql: &'static str) -> Statement<'v> {
    query::<()>(sql)
}

/// A statement that gives rows of the SQL types `ST`.
pub fn query<'v, ST>(sql: &'static str) -> Statement<'v, ST> {
    Statement { sql, binds: Vec::new(), rows: PhantomData }
}

impl<'v, ST> Statement<'v, ST> {
    /// Binds the next placeholder.
    #[must_use]
    pub fn bind<S, V>(mut self, value: V) -> Self
    where
        Pg: HasSqlType<S>,
        V: ToSql<S, Pg> + Send + 'v,
        S: Send + 'v,
    {
        self.binds.push(Box::new(Bound { value, sql_type: PhantomData::<S> }));
        self
    }
}

struct Bound<S, V> {
    value: V,
    sql_type: PhantomData<S>,
}

impl<S, V> QueryFragment<Pg> for Bound<S, V>
where
    Pg: HasSqlType<S>,
    V: ToSql<S, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<S, V>(&self.value)
    }
}

impl<ST> QueryFragment<Pg> for Statement<'_, ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut rest = self.sql;
        for bind in &self.binds {
            let (before, after) = rest.split_once('$').ok_or_else(|| mismatch("fewer placeholders than binds"))?;
            out.push_sql(before);
            bind.walk_ast(out.reborrow())?;
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        if rest.contains('$') {
            return Err(mismatch("more placeholders than binds"));
        }
        out.push_sql(rest);
        Ok(())
    }
}

fn mismatch(what: &'static str) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(what.into())
}

impl<ST> QueryId for Statement<'_, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Statement<'_, ST> {
    type SqlType = ST;
}

impl<ST> RunQueryDsl<PgConnection> for Statement<'_, ST> {}
