//! How to reach a cluster through its socket.
//!
//! The socket lies in a directory of mode 0700, so whoever can open it is the account that runs the service (or root);
//! that directory is the authentication, and the roles behind it are trusted.

use std::path::{Path, PathBuf};

/// The role that owns the cluster and migrates: initdb's superuser.
pub const OWNER_ROLE: &str = "flip360_owner";
/// The login of the service: it may take the roles of writer and reader, and owns nothing. Migrations make it.
pub const SERVICE_ROLE: &str = "flip360_service";
/// The service's database.
pub const DATABASE: &str = "flip360";
/// Names the socket file; no TCP port is ever opened.
pub(super) const PORT: &str = "5432";

/// Where a running cluster listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    socket_directory: PathBuf,
}

impl ConnectionInfo {
    pub(super) fn new(socket_directory: PathBuf) -> Self {
        Self { socket_directory }
    }

    /// The directory that holds the socket.
    pub fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }

    /// A libpq connection URI for `role` on `database`.
    pub fn url(&self, role: &str, database: &str) -> String {
        let host = self.socket_directory.to_string_lossy();
        format!(
            "postgresql://{}@/{}?host={}&port={PORT}",
            percent_encoded(role),
            percent_encoded(database),
            percent_encoded(&host)
        )
    }
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_directory_is_escaped() {
        let info = ConnectionInfo::new(PathBuf::from("/tmp/a b/100%&x"));
        assert_eq!(
            info.url("flip360_owner", "flip360"),
            "postgresql://flip360_owner@/flip360?host=%2Ftmp%2Fa%20b%2F100%25%26x&port=5432"
        );
    }
}
