//! A disk that is really full while the bank file is written: a small file system holds the table of the files.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use harness::platform::Platform;
use harness::skip::skip;
use serde_json::json;

use crate::http::busy;

/// A file system of a mebibyte in memory, gone with the test.
struct Small(PathBuf);

impl Small {
    /// Nothing where this may not be done.
    fn mount(owner: (u32, u32)) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("flip360-full-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        let options = format!("size=1m,mode=0700,uid={},gid={}", owner.0, owner.1);
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output();
        let small = Self(path);
        mounted.is_ok_and(|output| output.status.success()).then_some(small)
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).expect("a file");
        let full = std::io::copy(&mut std::io::repeat(7), &mut file).expect_err("it has an end");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast is there");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Where the server keeps its data.
fn data_directory(platform: &Platform) -> PathBuf {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        path: String,
    }
    let sql = "select current_setting('data_directory') as path";
    let row: Row = diesel::RunQueryDsl::get_result(diesel::sql_query(sql), &mut platform.owner()).expect("a path");
    Path::new(&row.path).to_owned()
}

#[test]
fn a_full_disk_leaves_nothing_half_done_and_the_same_request_succeeds_once_there_is_room() {
    // It goes after the database that is on it.
    let mut mounted = Vec::new();
    let world = busy();
    let platform = &world.service.platform;
    let data = std::fs::metadata(data_directory(platform)).expect("the data directory");
    mounted.extend(Small::mount((data.uid(), data.gid())));
    let [small] = mounted.as_slice() else {
        skip("a disk that is really full while the bank file is written: a small file system cannot be mounted here");
        return;
    };
    let place = small.0.to_str().expect("a path");
    let mut owner = platform.owner();
    owner.batch_execute(&format!("create tablespace small location '{place}'")).expect("a tablespace");
    owner.batch_execute("alter table bank_file set tablespace small").expect("moved");
    let run = world.approved();
    let written = [
        "select count(*) from payout",
        "select count(*) from payout_line",
        "select count(*) from bank_file",
        "select count(*) from bank_file_payout",
        "select count(*) from tax_document",
        "select count(*) from ledger_entry where kind = 'payout_initiated'",
        "select count(*) from payout_run_step where step = 'executed'",
        "select count(*) from outbox where type in ('payout.initiated', 'payout_run.executed')",
    ];
    let counted = || written.map(|sql| platform.number(sql));
    let (path, before) = (world.path(&run, "/execute"), counted());
    assert_eq!(before, [0; 8]);
    small.fill();
    for _ in 0..2 {
        let refused = world.service.post_as(&path, &world.finance, "execute", &json!({}));
        assert_eq!(refused.problem(503, "unavailable"), []);
        assert_eq!(counted(), before);
        assert_eq!(world.service.get(&world.path(&run, ""), &world.finance).expect(200)["state"], "approved");
    }
    small.make_room();
    let done = world.service.post_as(&path, &world.finance, "execute", &json!({}));
    assert_eq!((done.header("idempotency-replayed"), &done.expect(200)["state"]), (None, &json!("executed")));
    assert_eq!(platform.number(written[2]), 1);
    assert_eq!(
        platform.number("select sum(total_minor) from bank_file"),
        run["total"]["amount"].as_i64().expect("a sum")
    );
    let again = world.service.post_as(&path, &world.finance, "execute", &json!({}));
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &done.body));
    owner.batch_execute("alter table bank_file set tablespace pg_default").expect("moved back");
    owner.batch_execute("drop tablespace small").expect("dropped");
}
