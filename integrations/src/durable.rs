//! Files that are either as they were or as they should be, whatever happens in between.
//!
//! The bytes go to a temporary file in the same directory, are forced to disk, and take the name only
//! then; the directory is forced to disk too, or a crash could bring the old name back.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Replaces a file, or makes it, with these permissions.
///
/// # Errors
/// When it cannot be made durable; the old file is then still there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = beside(path);
    let written = write(&temporary, bytes, mode).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // What is left would only be in the way; the failure above is what counts.
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    sync_directory(path)
}

/// Replaces a file, or makes it, with these permissions: whole or not at all, but a crash of the machine may take it
/// until [`settle`] has returned.
///
/// # Errors
/// When it cannot be written; the old file is then still there.
pub fn place(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = beside(path);
    let written = fill(&temporary, bytes, mode).and_then(|_| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Forces files, and the directories that name them, to disk; directories above those are the caller's to name.
///
/// # Errors
/// When one cannot be.
pub fn settle<'p>(
    files: impl Iterator<Item = &'p Path>,
    directories: impl Iterator<Item = &'p Path>,
) -> io::Result<()> {
    files.chain(directories).try_for_each(|path| File::open(path)?.sync_all())
}

/// Makes a file that does not exist yet.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when it does: it is never overwritten.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = beside(path);
    let written = write(&temporary, bytes, mode).and_then(|()| std::fs::hard_link(&temporary, path));
    let _ = std::fs::remove_file(&temporary);
    written?;
    sync_directory(path)
}

/// A name beside the file that no other process and no other thread uses.
fn beside(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    fill(path, bytes, mode)?.sync_all()
}

fn fill(path: &Path, bytes: &[u8], mode: u32) -> io::Result<File> {
    // One of a process that died with our number may be left over.
    let _ = std::fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
