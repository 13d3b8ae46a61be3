//! Makes the data of a new cluster, all or nothing: `initdb` writes `data.init`, which is then renamed to `data`.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::Profile;
use super::account::Account;
use super::binaries::Binaries;
use super::connection::{ConnectionInfo, DATABASE, OWNER_ROLE};
use super::error::{ClusterError, io_at};
use super::layout::Layout;

/// Makes the database that [`DATABASE`] names.
const CREATE_DATABASE: &str = "create database flip360";

/// Makes the data when there is none; otherwise checks that this server can read it.
pub(super) fn ensure_data(
    layout: &Layout,
    binaries: &Binaries,
    account: &Account,
    profile: Profile,
) -> Result<(), ClusterError> {
    let data = layout.data();
    if data.join("PG_VERSION").exists() {
        return check_version(&data, binaries);
    }
    let making = layout.data_in_making();
    if making.exists() {
        // An earlier attempt was cut off.
        fs::remove_dir_all(&making).map_err(io_at("removing", &making))?;
    }
    let mut command = Command::new(binaries.initdb());
    command.arg("-D").arg(&making).args(["-U", OWNER_ROLE, "-A", "trust", "-E", "UTF8", "--no-locale"]);
    command.arg("--no-instructions");
    command.arg(match profile {
        Profile::Durable => "--data-checksums",
        Profile::Scratch => "--no-sync",
    });
    account.apply(&mut command);
    let output = command.stdin(Stdio::null()).output().map_err(io_at("starting", &binaries.initdb()))?;
    if !output.status.success() {
        return Err(ClusterError::InitFailed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    fs::rename(&making, &data).map_err(io_at("renaming", &making))?;
    if profile == Profile::Durable
        && let Some(parent) = data.parent()
    {
        File::open(parent).and_then(|directory| directory.sync_all()).map_err(io_at("syncing", parent))?;
    }
    Ok(())
}

fn check_version(data: &Path, binaries: &Binaries) -> Result<(), ClusterError> {
    let path = data.join("PG_VERSION");
    let found = fs::read_to_string(&path).map_err(io_at("reading", &path))?.trim().to_owned();
    let program = binaries.postgres();
    let output = Command::new(&program).arg("--version").output().map_err(io_at("starting", &program))?;
    let server = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // "postgres (PostgreSQL) 15.14 (Debian …)": the major version is what comes before the first dot or letter.
    let major = server.split(' ').nth(2).unwrap_or_default();
    let digits: String = major.chars().take_while(char::is_ascii_digit).collect();
    if digits == found { Ok(()) } else { Err(ClusterError::OtherVersion { path: data.to_owned(), found, server }) }
}

/// Makes the service's database when there is none.
pub(super) fn ensure_database(connection: &ConnectionInfo) -> Result<(), ClusterError> {
    let failed = |error: &dyn std::fmt::Display| ClusterError::Database(error.to_string());
    let url = connection.url(OWNER_ROLE, "postgres");
    let mut connection = PgConnection::establish(&url).map_err(|error| failed(&error))?;
    let there = diesel::select(
        diesel::dsl::sql::<Bool>("exists (select 1 from pg_database where datname = ")
            .bind::<Text, _>(DATABASE)
            .sql(")"),
    )
    .get_result::<bool>(&mut connection)
    .map_err(|error| failed(&error))?;
    if !there {
        connection.batch_execute(CREATE_DATABASE).map_err(|error| failed(&error))?;
    }
    Ok(())
}
