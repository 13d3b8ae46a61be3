//! Where the installed PostgreSQL server is.
//!
//! Order: `FLIP360_PG_BIN`, Debian's `/usr/lib/postgresql/*/bin`, Red Hat's `/usr/pgsql-*/bin`, Homebrew, `PATH`;
//! within a place the newest major version. Nothing is ever downloaded.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::ClusterError;

/// Patterns of directories that hold one major version each: (parent, prefix of the child, rest).
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
];

/// The directory with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// Finds them; `given` (else `FLIP360_PG_BIN`) is binding when set.
    pub(super) fn find(given: Option<&Path>) -> Result<Self, ClusterError> {
        let named = given.map(Path::to_owned).or_else(|| env::var_os("FLIP360_PG_BIN").map(PathBuf::from));
        if let Some(directory) = named {
            return if complete(&directory) {
                Ok(Self(directory))
            } else {
                Err(ClusterError::BinariesNotThere(directory))
            };
        }
        VERSIONED.iter().find_map(newest).or_else(|| on_path(env::var_os("PATH"))).map(Self).ok_or_else(|| {
            ClusterError::BinariesMissing {
                looked_in: "/usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew, PATH".to_owned(),
                install: install_hint(),
            }
        })
    }

    /// The server program.
    pub(super) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// The program that makes an empty cluster.
    pub(super) fn initdb(&self) -> PathBuf {
        self.0.join("initdb")
    }
}

fn complete(directory: &Path) -> bool {
    directory.join("postgres").is_file() && directory.join("initdb").is_file()
}

fn newest((parent, prefix, rest): &(&str, &str, &str)) -> Option<PathBuf> {
    fs::read_dir(parent)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let major: u32 = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            let directory = entry.path().join(rest);
            complete(&directory).then_some((major, directory))
        })
        .max_by_key(|(major, _)| *major)
        .map(|(_, directory)| directory)
}

fn on_path(path: Option<OsString>) -> Option<PathBuf> {
    env::split_paths(&path?).find(|directory| complete(directory))
}

fn install_hint() -> &'static str {
    let there = |program: &str| {
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|place| place.join(program).is_file()))
    };
    if there("apt-get") {
        "Type: sudo apt-get install postgresql"
    } else if there("dnf") {
        "Type: sudo dnf install postgresql-server"
    } else if there("brew") {
        "Type: brew install postgresql@17"
    } else {
        "Install the PostgreSQL server package (Debian: postgresql, Fedora: postgresql-server, Homebrew: postgresql@17)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_directory_without_a_server_is_refused() {
        let found = Binaries::find(Some(Path::new("/usr/share")));
        assert!(matches!(found, Err(ClusterError::BinariesNotThere(path)) if path == Path::new("/usr/share")));
    }

    #[test]
    fn an_empty_path_holds_no_server() {
        assert_eq!(on_path(None), None);
        assert_eq!(on_path(Some(OsString::from("/usr/share:/usr/include"))), None);
    }

    #[test]
    fn the_newest_major_version_is_taken_by_number() {
        let root = std::env::temp_dir().join(format!("flip360-binaries-{}", std::process::id()));
        for major in ["9", "16", "17"] {
            let bin = root.join(major).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("postgres"), "").unwrap();
            if major != "17" {
                fs::write(bin.join("initdb"), "").unwrap();
            }
        }
        let found = newest(&(root.to_str().unwrap(), "", "bin"));
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, Some(root.join("16").join("bin")), "17 is incomplete, and 16 is newer than 9");
    }
}
