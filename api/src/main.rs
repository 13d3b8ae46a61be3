//! The binary `flip360`.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::main()
}
