//! Digests the migrations, so that the binary is built anew when one changes and a test database made
//! for other migrations is never taken for this schema.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=../migrations");
    let mut folders: Vec<_> = std::fs::read_dir("../migrations")?.collect::<Result<_, _>>()?;
    folders.sort_by_key(std::fs::DirEntry::file_name);
    let mut hasher = DefaultHasher::new();
    for folder in folders {
        folder.file_name().hash(&mut hasher);
        std::fs::read(Path::new(&folder.path()).join("up.sql"))?.hash(&mut hasher);
    }
    println!("cargo:rustc-env=FLIP360_MIGRATIONS_DIGEST={:016x}", hasher.finish());
    Ok(())
}
