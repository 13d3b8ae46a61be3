//! Connections: a pool that writes, a pool that reads.
//!
//! Each connection takes its role once (`flip360_writer`, `flip360_reader`), whatever login the URL
//! names. A reading connection remembers whose eyes it has, so that the setting is sent only when
//! it changes.

use diesel::connection::Connection as _;
use diesel::pg::PgConnection;
use diesel::prelude::{QueryResult, RunQueryDsl};
use diesel::r2d2::{ManageConnection, Pool, R2D2Connection};
use domain::access::Viewer;

/// A role of the database that the service takes.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// Inserts; owns nothing.
    Writer,
    /// Reads under row-level security.
    Reader,
}

/// A connection and the viewer it was last set to.
pub struct Connection {
    pub(crate) pg: PgConnection,
    parties: String,
}

impl Connection {
    /// Sets whose eyes the following reads have.
    pub(crate) fn look_as(&mut self, viewer: &Viewer) -> QueryResult<()> {
        let parties = match viewer {
            Viewer::Everything => "*".to_owned(),
            Viewer::Parties(ids) => ids.iter().map(uuid::Uuid::to_string).collect::<Vec<_>>().join(","),
        };
        if parties != self.parties {
            crate::statement::command("select set_config('flip360.parties', $1, false)")
                .bind::<diesel::sql_types::Text, _>(&parties)
                .execute(&mut self.pg)?;
            self.parties = parties;
        }
        Ok(())
    }
}

/// Messages in English, where they are not.
const ENGLISH: &str = "select set_config('lc_messages', 'C', false) where current_setting('lc_messages') not in ('C', 'POSIX') and current_setting('lc_messages') not like 'en%'";

/// Makes connections of one role.
#[derive(Debug)]
pub struct Manager {
    url: String,
    role: Role,
}

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server refused or is away.
    #[error("cannot connect to PostgreSQL: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// The session could not be set up; most often the login may not take the role.
    #[error("cannot set up the session: {0}")]
    Session(#[from] diesel::result::Error),
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = ConnectError;

    fn connect(&self) -> Result<Connection, ConnectError> {
        let mut pg = PgConnection::establish(&self.url)?;
        let set_up = match self.role {
            // Writers touch a handful of rows by key. Without these three a table that has grown since its
            // statistics were taken is read from end to end, once a batch.
            Role::Writer => {
                "set role flip360_writer; set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '60s'; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
            }
            Role::Reader => {
                "set role flip360_reader; set statement_timeout = '30s'; set default_transaction_read_only = on"
            }
        };
        // May be set by a superuser only; without it a deadlock on a server that speaks another language is
        // not told from other failures, and not tried again.
        let _ = diesel::connection::SimpleConnection::batch_execute(&mut pg, ENGLISH);
        diesel::connection::SimpleConnection::batch_execute(&mut pg, set_up)?;
        Ok(Connection { pg, parties: String::new() })
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), ConnectError> {
        Ok(connection.pg.ping()?)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.pg.is_broken()
    }
}

/// Builds a pool. Connections are made when first needed.
pub fn build(url: &str, role: Role, size: u32) -> Pool<Manager> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .test_on_check_out(false)
        .connection_timeout(std::time::Duration::from_secs(10))
        .build_unchecked(Manager { url: url.to_owned(), role })
}
