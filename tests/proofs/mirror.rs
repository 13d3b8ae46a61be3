//! A mirror is brought up to date: what is new is written, whole, the checkpoint last; broken off anywhere it is what it
//! was.

use std::cell::{Cell, RefCell};
use std::path::Path;

use domain::access::Viewer;
use domain::chain::audit::audit;
use domain::chain::mirror::{self, CHECKPOINT, ExportError, Exported, LiveLog, LogFiles, Mirror};
use domain::chain::signer::PortError;
use domain::chain::tile::{Tile, TileKind};
use harness::leaves;
use harness::platform::Platform;
use integrations::mirror_directory::MirrorDirectory;

use crate::support::scratch;

/// A directory whose writing breaks off after so many files, and which remembers what was done.
struct Breaking {
    directory: MirrorDirectory,
    left: Cell<u64>,
    done: RefCell<Vec<String>>,
}

impl Breaking {
    fn after(root: &Path, files: u64) -> Self {
        Self { directory: MirrorDirectory::new(root), left: Cell::new(files), done: RefCell::default() }
    }
}

impl LogFiles for Breaking {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.directory.read(path)
    }
}

impl Mirror for Breaking {
    fn holds(&self, path: &str) -> Result<bool, PortError> {
        self.directory.holds(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), PortError> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| PortError("the disk is full".to_owned()))?;
        self.left.set(left);
        self.done.borrow_mut().push(path.to_owned());
        self.directory.write(path, bytes)
    }

    fn settle(&self) -> Result<(), PortError> {
        self.done.borrow_mut().push("settled".to_owned());
        self.directory.settle()
    }
}

/// A log, and how many leaves it has.
struct Growing(Platform, u64);

impl Growing {
    fn grow(&mut self, leaves: u64) {
        leaves::append(&self.0, &leaves::items(self.1, self.1 + leaves, 5, false)).expect("logged");
        self.1 += leaves;
        assert_eq!(self.0.sequence().size, self.1);
    }

    fn export(&self, mirror: &dyn Mirror) -> Result<Exported, ExportError> {
        let exported = self.0.store().read_snapshot(&Viewer::Everything, |queries| {
            Ok(mirror::export(&LiveLog::new(queries.chain()), mirror, &mut |_, _| ()))
        });
        exported.expect("the log can be read")
    }

    /// How many leaves a mirror holds, all of which are good.
    fn audited(&self, root: &Path) -> u64 {
        let report = audit(self.0.trust().log(), &MirrorDirectory::new(root), &mut |_, _| ()).expect("files");
        assert!(report.holds(), "{:?}", report.differences);
        report.leaves
    }
}

#[test]
fn only_what_is_new_is_written_and_the_checkpoint_last() {
    let root = scratch("incremental").join("log");
    let mut log = Growing(Platform::new(), 0);
    let mirror = Breaking::after(&root, u64::MAX);
    log.grow(700);
    let first = log.export(&mirror).expect("exported");
    // Two full tiles and a partial one, of hashes and of leaves; two hashes of the row above; the checkpoint.
    assert_eq!((first.head.size, first.written, first.kept), (700, 8, 0));
    let done = mirror.done.take();
    assert_eq!(done[done.len() - 2..], ["settled", CHECKPOINT]);
    let again = log.export(&mirror).expect("exported");
    assert_eq!((again.written, again.kept, mirror.done.take()), (0, 8, vec!["settled".to_owned()]));
    log.grow(100);
    let grown = log.export(&mirror).expect("exported");
    assert_eq!((grown.written, grown.kept), (6, 4));
    let written = mirror.done.take();
    let fresh = |path: &str| {
        Tile::parse(path)
            .map_or(true, |tile| tile.range().end > if tile.kind() == TileKind::Hashes(1) { 2 } else { 700 })
    };
    assert!(written.iter().all(|path| fresh(path)), "{written:?}");
    assert_eq!(log.audited(&root), 800);
    // What was lost is written again, what is damaged is for the audit to say.
    std::fs::remove_file(root.join("tile/entries/001")).expect("removed");
    let mended = log.export(&mirror).expect("exported");
    assert_eq!((mended.written, log.audited(&root)), (1, 800));
}

#[test]
fn broken_off_after_any_file_a_mirror_is_what_it_was_and_goes_on() {
    let mut log = Growing(Platform::new(), 0);
    log.grow(600);
    let start = scratch("broken");
    let _ = log.export(&MirrorDirectory::new(start.join("whole"))).expect("exported");
    log.grow(900);
    let all = log.export(&MirrorDirectory::new(start.join("fresh"))).expect("exported").written;
    for files in 0..all {
        let root = start.join(files.to_string());
        let copied = std::process::Command::new("cp").arg("-r").arg(start.join("whole")).arg(&root).status();
        assert!(copied.expect("cp runs").success());
        let broken = log.export(&Breaking::after(&root, files));
        if broken.is_ok() {
            assert_eq!(log.audited(&root), 1_500);
            continue;
        }
        assert_eq!(log.audited(&root), 600, "after {files} files");
        // What an interrupted machine may have left of a file that no checkpoint promises yet.
        let torn = root.join("tile/0/004");
        std::fs::create_dir_all(torn.parent().expect("a parent")).expect("a directory");
        std::fs::write(torn, b"torn").expect("written");
        assert_eq!(log.export(&MirrorDirectory::new(&root)).expect("exported").head.size, 1_500);
        assert_eq!(log.audited(&root), 1_500, "after {files} files");
    }
}

#[test]
fn a_mirror_of_another_log_is_left_alone() {
    let (mut log, other) = (Growing(Platform::new(), 0), Growing(Platform::new(), 0));
    log.grow(300);
    leaves::append(&other.0, &leaves::items(5_000, 5_200, 3, false)).expect("logged");
    let _ = other.0.sequence();
    let root = scratch("other").join("log");
    let mirror = MirrorDirectory::new(&root);
    let _ = log.export(&mirror).expect("exported");
    let before = mirror.read(CHECKPOINT).expect("a file");
    // Smaller than the mirror, and with another history.
    assert_eq!(other.export(&mirror), Err(ExportError::OtherLog { held: 300 }));
    leaves::append(&other.0, &leaves::items(6_000, 6_200, 3, false)).expect("logged");
    let _ = other.0.sequence();
    assert_eq!(other.export(&mirror), Err(ExportError::OtherLog { held: 300 }));
    assert_eq!(mirror.read(CHECKPOINT).expect("a file"), before);
    assert_eq!(log.audited(&root), 300);
    let unsigned = Growing(Platform::new(), 0);
    assert_eq!(unsigned.export(&mirror), Err(ExportError::Unsigned));
}
