//! The examples of `docs/receipts.md` are one receipt of each kind of the log that is made here, and one proof.

use std::path::{Path, PathBuf};

use verifier::receipt::Receipt;
use verifier::tlog_proof::TlogProof;

use crate::made::{one_of_each, trust};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("docs/receipts")
}

/// Every file of the folder: its name and its bytes.
fn made() -> Vec<(String, Vec<u8>)> {
    let receipts = one_of_each();
    let file = |receipt: &Receipt| (format!("{}.json", receipt.kind.as_str()), receipt.to_bytes().expect("bytes"));
    let mut files: Vec<(String, Vec<u8>)> = receipts.iter().map(file).collect();
    let proof = TlogProof::of(&receipts[0]).expect("a main item").to_string();
    files.push(("handshake.tlog-proof".to_owned(), proof.into_bytes()));
    files.push(("trust.json".to_owned(), trust().to_json().expect("JSON").into_bytes()));
    files
}

/// With `FLIP360_WRITE_EXAMPLES` set, writes them.
#[test]
fn the_examples_of_the_documentation_are_what_is_made_here() {
    let write = std::env::var_os("FLIP360_WRITE_EXAMPLES").is_some();
    for (name, bytes) in made() {
        let path = folder().join(&name);
        if write {
            std::fs::create_dir_all(folder()).expect("a directory");
            std::fs::write(&path, &bytes).expect("written");
        }
        let kept = std::fs::read(&path).expect("the example is there");
        assert!(kept == bytes, "{name} is another: set FLIP360_WRITE_EXAMPLES to write it again");
    }
    let known = made().len();
    assert_eq!(std::fs::read_dir(folder()).expect("the folder").count(), known, "there are other files");
}
