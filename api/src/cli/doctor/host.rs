//! What is around the service: PostgreSQL, a running service, the database, the port, the clock.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use domain::kernel::Instant;
use integrations::turn;
use persistence::cluster::{Cluster, ClusterError, DATABASE, OWNER_ROLE, survey};
use persistence::migrate::{self, Standing};

use super::Finding;
use crate::config::DatabaseArgs;
use crate::workers::SEQUENCER_LOCK;

/// The oldest server that the migrations are written for.
const OLDEST_MAJOR: u32 = 14;
/// Tokens and checkpoints bear times: a clock further off than this makes them fail elsewhere.
const CLOCK_OFF_MILLIS: u64 = 5_000;
/// This was written after 2026-01-01; a clock that shows an earlier time was never set.
const WRITTEN_MILLIS: i64 = 1_767_225_600_000;

type Owner = Result<Option<u32>, ClusterError>;

/// Who runs the cluster of the data directory.
pub(super) fn owner(data_dir: &Path) -> Owner {
    if data_dir.is_dir() { survey::owner(data_dir) } else { Ok(None) }
}

/// PostgreSQL's programs, and whether they can read the data that is there.
pub(super) fn server(data_dir: &Path) -> Finding {
    const TOPIC: &str = "PostgreSQL";
    let server = match survey::server() {
        Ok(server) => server,
        Err(error) => return Finding::wrong(TOPIC, error.to_string()),
    };
    let shown = format!("{} in {}", server.version, server.directory.display());
    if server.major().is_none_or(|major| major < OLDEST_MAJOR) {
        return Finding::wrong(
            TOPIC,
            format!("{shown} is too old; install {OLDEST_MAJOR} or newer, or set FLIP360_PG_BIN"),
        );
    }
    let written = if data_dir.is_dir() { survey::written_by(data_dir) } else { Ok(None) };
    match written {
        Ok(Some(major)) if server.major().map(|m| m.to_string()).as_deref() != Some(major.as_str()) => Finding::wrong(
            TOPIC,
            format!(
                "{shown}, but the data was written by version {major}; set FLIP360_PG_BIN to the programs of that version"
            ),
        ),
        Ok(_) => Finding::fine(TOPIC, shown),
        Err(error) => Finding::wrong(TOPIC, format!("{shown}; the data cannot be read: {error}")),
    }
}

/// Whom the server would run as.
pub(super) fn account() -> Finding {
    match survey::account() {
        Ok(()) => Finding::fine("account", "PostgreSQL can run under this account, or one it may hand it to"),
        Err(error) => Finding::wrong("account", error.to_string()),
    }
}

/// Whether a service has the data directory.
pub(super) fn service(owner: &Owner) -> Finding {
    match owner {
        Ok(Some(pid)) => Finding::fine("service", format!("process {pid} has this data directory")),
        Ok(None) => Finding::fine("service", "none is running on this data directory"),
        Err(error) => Finding::wrong("service", error.to_string()),
    }
}

/// Whether somebody does the work beside requests.
pub(super) fn workers(data_dir: &Path, owner: &Owner) -> Finding {
    const TOPIC: &str = "workers";
    match turn::is_taken(&data_dir.join(SEQUENCER_LOCK)) {
        Ok(true) => Finding::fine(TOPIC, "a process works here and signs the log"),
        Ok(false) if matches!(owner, Ok(Some(_))) => Finding::worth(
            TOPIC,
            "nobody works here: the log, jobs, webhooks and releases wait; start `flip360 worker`, or `serve` without --no-workers",
        ),
        Ok(false) => Finding::fine(TOPIC, "none is running on this data directory"),
        Err(error) => Finding::wrong(TOPIC, format!("{SEQUENCER_LOCK}: {error}")),
    }
}

/// The schema of the database that a command would use.
pub(super) fn database(args: &DatabaseArgs, owner: &Owner, now: Instant) -> Finding {
    const TOPIC: &str = "database";
    let standing = match (&args.database_url, owner) {
        (Some(url), _) => migrate::standing(args.migrate_url.as_ref().unwrap_or(url)),
        (None, Ok(Some(_))) => match Cluster::attach(&args.data_dir) {
            Ok(Some(connection)) => migrate::standing(&connection.url(OWNER_ROLE, DATABASE)),
            Ok(None) => return Finding::fine(TOPIC, "the service has just stopped"),
            Err(error) => return Finding::wrong(TOPIC, error.to_string()),
        },
        (None, _) => {
            return Finding::fine(
                TOPIC,
                "the private cluster is not running; its schema is brought up at the next start",
            );
        }
    };
    match standing {
        Ok(standing) => schema(&standing, now),
        Err(error) => {
            Finding::wrong(TOPIC, format!("{error}; check DATABASE_URL, and that the server runs and lets you in"))
        }
    }
}

fn schema(standing: &Standing, now: Instant) -> Finding {
    const TOPIC: &str = "database";
    let shown = format!("PostgreSQL {}, {} migrations", standing.server, standing.ran);
    let off = standing.now.millis().abs_diff(now.millis());
    if standing.unknown > 0 {
        return Finding::wrong(
            TOPIC,
            format!("{shown} and {} that this binary does not know; use the newer binary", standing.unknown),
        );
    }
    if off > CLOCK_OFF_MILLIS {
        return Finding::wrong(
            TOPIC,
            format!("{shown}; its clock and ours are {} s apart; set both by NTP", off / 1_000),
        );
    }
    if standing.pending > 0 {
        return Finding::worth(
            TOPIC,
            format!("{shown}, {} to run; `flip360 migrate` or the next `serve` runs them", standing.pending),
        );
    }
    if standing.days_ahead == 0 {
        return Finding::worth(
            TOPIC,
            format!("{shown}, none to run; tomorrow has no partition yet: a worker makes it, or the next start"),
        );
    }
    Finding::fine(TOPIC, format!("{shown}, none to run"))
}

/// Whether the API can listen where it would.
pub(super) fn port(listen: SocketAddr, owner: &Owner) -> Finding {
    match TcpListener::bind(listen) {
        Ok(_) => Finding::fine("port", format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && matches!(owner, Ok(Some(_))) => {
            Finding::fine("port", format!("{listen} is taken, and a service is running"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Finding::wrong("port", format!("{listen} is taken by another program; choose another with --listen"))
        }
        Err(error) => Finding::wrong("port", format!("{listen}: {error}; choose another with --listen")),
    }
}

/// Whether the clock can be right.
pub(super) fn clock(data_dir: &Path, now: Instant) -> Finding {
    let written = fs::metadata(data_dir.join("log.high-water")).and_then(|metadata| metadata.modified()).ok();
    let last = written.and_then(|at| jiff::Timestamp::try_from(at).ok()).map(Instant::new);
    time(now, last)
}

fn time(now: Instant, last: Option<Instant>) -> Finding {
    if now.millis() < WRITTEN_MILLIS {
        return Finding::wrong("clock", "the clock shows a time before this program was written; set it, best by NTP");
    }
    match last {
        Some(last) if now.millis() + i64::try_from(CLOCK_OFF_MILLIS).unwrap_or(i64::MAX) < last.millis() => {
            Finding::wrong(
                "clock",
                "the clock is behind the time at which the log was last signed; set it, best by NTP",
            )
        }
        _ => Finding::fine("clock", format!("{} in Sydney", now.sydney_date())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::new(jiff::Timestamp::from_millisecond(millis).expect("a time"))
    }

    #[test]
    fn a_schema_of_the_future_is_wrong_and_one_of_the_past_is_worth_knowing() {
        let now = at(WRITTEN_MILLIS + 1_000_000);
        let standing = Standing { server: "15.14".into(), now, ran: 3, pending: 0, unknown: 0, days_ahead: 3 };
        assert_eq!(schema(&standing, now).weight, Weight::Fine);
        assert_eq!(schema(&Standing { pending: 1, ..standing.clone() }, now).weight, Weight::Worth);
        assert_eq!(schema(&Standing { unknown: 1, ..standing.clone() }, now).weight, Weight::Wrong);
        assert_eq!(schema(&Standing { days_ahead: 0, ..standing.clone() }, now).weight, Weight::Worth);
        let far = at(now.millis() - 6_000);
        assert_eq!(schema(&standing, far).weight, Weight::Wrong);
    }

    #[test]
    fn a_clock_that_goes_back_is_wrong() {
        let now = at(WRITTEN_MILLIS + 1_000_000);
        assert_eq!(time(now, None).weight, Weight::Fine);
        assert_eq!(time(now, Some(now)).weight, Weight::Fine);
        assert_eq!(time(now, Some(at(now.millis() + 60_000))).weight, Weight::Wrong);
        assert_eq!(time(at(0), None).weight, Weight::Wrong);
    }

    #[test]
    fn a_taken_port_is_wrong_unless_a_service_runs() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a time");
        let address = taken.local_addr().expect("a time");
        assert_eq!(port(address, &Ok(None)).weight, Weight::Wrong);
        assert_eq!(port(address, &Ok(Some(1))).weight, Weight::Fine);
        drop(taken);
        assert_eq!(port(address, &Ok(None)).weight, Weight::Fine);
    }
}
