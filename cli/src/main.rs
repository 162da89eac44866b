//! The `clankers` binary, which is `clankers_cli::main`.

use std::process::ExitCode;

fn main() -> ExitCode {
    clankers_cli::main()
}
