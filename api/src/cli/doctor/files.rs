//! The data directory: who may do what with it and with the secrets in it, and how much room there is.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use integrations::key_file::{KeyFile, KeyFileError};
use persistence::cluster::survey;

use super::Finding;
use crate::assembly;
use crate::witnessing::{KeptStanding, STATUS_FILE};

/// PostgreSQL keeps up to 1 GiB of its write-ahead log (`max_wal_size`); below twice that it soon stops.
const SPACE_LOW_BYTES: u64 = 2 * GIB;
const GIB: u64 = 1 << 30;

/// Whether it is there, writable, and closed to others.
pub(super) fn data_directory(path: &Path) -> Finding {
    const TOPIC: &str = "data directory";
    let shown = path.display();
    let mode = match mode(path) {
        Ok(mode) => mode,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = nearest(path);
            return if survey::may_write(&above) {
                Finding::fine(TOPIC, format!("{shown} is not there yet; the first start makes it"))
            } else {
                Finding::wrong(
                    TOPIC,
                    format!(
                        "{shown} cannot be made: no permission to write in {}; choose another --data-dir",
                        above.display()
                    ),
                )
            };
        }
        Err(error) => return Finding::wrong(TOPIC, format!("{shown}: {error}; choose another --data-dir")),
    };
    if !path.is_dir() {
        return Finding::wrong(TOPIC, format!("{shown} is not a directory; choose another --data-dir"));
    }
    if !survey::may_write(path) {
        return Finding::wrong(
            TOPIC,
            format!("{shown} (mode {mode:o}) is not ours to write in; run as its owner, or choose another --data-dir"),
        );
    }
    if mode & 0o022 != 0 {
        return Finding::wrong(
            TOPIC,
            format!("others may change what is in {shown} (mode {mode:o}); type: chmod go-w {shown}"),
        );
    }
    if mode & 0o044 != 0 {
        return Finding::worth(
            TOPIC,
            format!("{shown} (mode {mode:o}): others may list it; to close it, type: chmod go-r {shown}"),
        );
    }
    Finding::fine(TOPIC, format!("{shown} (mode {mode:o}), writable"))
}

/// The keys, each one that is there, and the administrator's secret.
pub(super) fn secrets(data_dir: &Path) -> Vec<Finding> {
    let keys = data_dir.join("keys");
    let mut findings = Vec::new();
    match entries(&keys) {
        Ok(paths) if paths.is_empty() => findings.push(Finding::fine("keys", "none yet; the first start makes them")),
        Ok(paths) => findings.extend(paths.iter().map(|path| key(path))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.push(Finding::fine("keys", "none yet; the first start makes them"));
        }
        Err(error) => findings.push(Finding::wrong("keys", format!("{}: {error}", keys.display()))),
    }
    let file = data_dir.join("admin.json");
    match mode(&file) {
        Ok(mode) if mode & 0o077 != 0 => findings.push(Finding::wrong(
            "administrator",
            format!(
                "others may read the secret in {} (mode {mode:o}); type: chmod 600 {}",
                file.display(),
                file.display()
            ),
        )),
        Ok(_) => findings.push(Finding::fine("administrator", format!("{} (mode 600)", file.display()))),
        // Whoever has stored the secret elsewhere does well to remove the file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => findings.push(Finding::wrong("administrator", format!("{}: {error}", file.display()))),
    }
    findings
}

fn key(path: &Path) -> Finding {
    match KeyFile::open(path) {
        Ok(_) => Finding::fine("key", format!("{} (mode 600), Ed25519", path.display())),
        Err(error @ (KeyFileError::Malformed { .. } | KeyFileError::Policy { .. })) => {
            Finding::wrong("key", format!("{error}; put the right file back from your backup"))
        }
        Err(error) => Finding::wrong("key", error.to_string()),
    }
}

/// Whom the log's checkpoints are sent to, and how they answered last.
pub(super) fn witnesses(data_dir: &Path, file: Option<&Path>) -> Finding {
    const TOPIC: &str = "witnesses";
    let Some(file) = file else {
        return Finding::fine(TOPIC, "nobody is asked; FLIP360_WITNESSES names a file of those who are");
    };
    let witnesses = match assembly::witnesses(file) {
        Ok(witnesses) => witnesses,
        Err(error) => return Finding::wrong(TOPIC, error.to_string()),
    };
    let (known, quorum) = (witnesses.policy.witnesses().len(), witnesses.policy.quorum());
    let shown = format!("{known} in {}, {quorum} must cosign", file.display());
    let status = data_dir.join(STATUS_FILE);
    let kept: Vec<KeptStanding> = match std::fs::read(&status) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(kept) => kept,
            Err(error) => return Finding::worth(TOPIC, format!("{shown}; {}: {error}", status.display())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Finding::fine(TOPIC, format!("{shown}; none has been asked from here yet"));
        }
        Err(error) => return Finding::worth(TOPIC, format!("{shown}; {}: {error}", status.display())),
    };
    stand(&shown, &kept)
}

fn stand(shown: &str, kept: &[KeptStanding]) -> Finding {
    const TOPIC: &str = "witnesses";
    if let Some(why) = kept.iter().find_map(|one| one.refusal.as_ref()) {
        return Finding::wrong(TOPIC, format!("{shown}; the log is not signed: {why}"));
    }
    let failing: Vec<String> = kept
        .iter()
        .filter_map(|one| {
            let since = one.since.map(|since| format!(" since {since}")).unwrap_or_default();
            one.failing.as_ref().map(|code| format!("{} has not cosigned{since}: {code}", one.witness))
        })
        .collect();
    if failing.is_empty() {
        Finding::fine(TOPIC, format!("{shown}; each cosigned when it was asked last"))
    } else {
        Finding::worth(TOPIC, format!("{shown}; {}", failing.join("; ")))
    }
}

/// Room where the data goes.
pub(super) fn space(data_dir: &Path) -> Finding {
    // The cluster may be a link to another file system.
    let place = nearest(&data_dir.join("cluster"));
    match survey::free_bytes(&place) {
        Ok(free) => room(free, &place),
        Err(error) => Finding::worth("disk space", error.to_string()),
    }
}

fn room(free: u64, place: &Path) -> Finding {
    let shown = format!("{}.{} GiB free at {}", free / GIB, free % GIB * 10 / GIB, place.display());
    if free < SPACE_LOW_BYTES {
        Finding::wrong("disk space", format!("{shown}; make room: at least {} GiB are wanted", SPACE_LOW_BYTES / GIB))
    } else {
        Finding::fine("disk space", shown)
    }
}

/// The path itself, or the closest directory above it that exists.
fn nearest(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.ancestors().find(|above| above.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        std::fs::read_dir(directory)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use integrations::randomness::SystemRandomness;

    use super::super::Weight;
    use super::*;

    fn scratch(name: &str, mode: u32) -> PathBuf {
        let path = std::env::temp_dir().join(format!("flip360-doctor-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a scratch directory");
        set(&path, mode);
        path
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    }

    #[test]
    fn a_data_directory_is_judged_by_who_may_change_it() {
        for (mode, weight) in [
            (0o700, Weight::Fine),
            (0o710, Weight::Fine),
            (0o755, Weight::Worth),
            (0o770, Weight::Wrong),
            (0o777, Weight::Wrong),
        ] {
            let path = scratch("modes", mode);
            assert_eq!(data_directory(&path).weight, weight, "{mode:o}");
        }
        fs::remove_dir_all(scratch("modes", 0o700)).expect("a scratch directory");
    }

    #[test]
    fn one_that_is_not_there_is_fine_and_a_file_is_not() {
        let path = scratch("absent", 0o700);
        assert_eq!(data_directory(&path.join("a/b")).weight, Weight::Fine);
        assert!(!path.join("a").exists(), "looking makes nothing");
        fs::write(path.join("file"), "").expect("a file");
        assert_eq!(data_directory(&path.join("file")).weight, Weight::Wrong);
        fs::remove_dir_all(path).expect("a scratch directory");
    }

    #[test]
    fn keys_that_others_may_read_and_files_that_are_none_are_wrong() {
        let path = scratch("keys", 0o700);
        let keys = path.join("keys");
        fs::create_dir_all(&keys).expect("a scratch directory");
        assert_eq!(secrets(&path).len(), 1, "an empty folder is one line");
        let good = keys.join("log.pem");
        KeyFile::open_or_create(&good, &SystemRandomness).expect("a key");
        assert_eq!(secrets(&path)[0].weight, Weight::Fine);
        set(&good, 0o640);
        let found = &secrets(&path)[0];
        assert!(found.weight == Weight::Wrong && found.text.contains("chmod 600"), "{found}");
        set(&good, 0o600);
        fs::write(&good, "-----BEGIN PRIVATE KEY-----\nsecretish\n").expect("a file");
        let found = &secrets(&path)[0];
        assert!(found.weight == Weight::Wrong && !found.text.contains("secretish"), "{found}");
        fs::write(path.join("admin.json"), "{}").expect("a file");
        set(&path.join("admin.json"), 0o644);
        assert_eq!(secrets(&path)[1].weight, Weight::Wrong);
        fs::remove_dir_all(path).expect("a scratch directory");
    }

    #[test]
    fn witnesses_that_refuse_are_wrong_and_those_that_are_away_are_worth_knowing() {
        let path = scratch("witnesses", 0o700);
        assert_eq!(witnesses(&path, None).weight, Weight::Fine);
        let file = path.join("witnesses.policy");
        assert_eq!(witnesses(&path, Some(&file)).weight, Weight::Wrong, "it is not there");
        fs::write(&file, "quorum none\n").expect("a file");
        assert_eq!(witnesses(&path, Some(&file)).weight, Weight::Fine);
        let stands = |failing: Option<&str>, refusal: Option<&str>| KeptStanding {
            witness: "w".into(),
            failing: failing.map(str::to_owned),
            since: None,
            refusal: refusal.map(str::to_owned),
        };
        for (kept, weight) in [
            (stands(None, None), Weight::Fine),
            (stands(Some("timed_out"), None), Weight::Worth),
            (stands(Some("ahead"), Some("why")), Weight::Wrong),
        ] {
            fs::write(path.join(STATUS_FILE), serde_json::to_vec(&[&kept]).expect("JSON")).expect("a file");
            let found = witnesses(&path, Some(&file));
            assert_eq!(found.weight, weight, "{found}");
        }
        fs::write(path.join(STATUS_FILE), "[").expect("a file");
        assert_eq!(witnesses(&path, Some(&file)).weight, Weight::Worth);
        fs::remove_dir_all(path).expect("a scratch directory");
    }

    #[test]
    fn little_room_is_wrong() {
        assert_eq!(room(2 * GIB - 1, Path::new("/x")).weight, Weight::Wrong);
        let enough = room(2 * GIB + GIB / 2, Path::new("/x"));
        assert_eq!((enough.weight, enough.text.as_str()), (Weight::Fine, "2.5 GiB free at /x"));
    }
}
