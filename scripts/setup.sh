#!/usr/bin/env bash
# Installs what is missing on a fresh machine. Quick when nothing is.
source "$(dirname "$0")/env.sh"

have cargo || die "Rust is missing: install it with rustup (https://rustup.rs), then run this again"
have cc || apt_install gcc libc6-dev

"$ROOT/scripts/setup-rust-wasm.sh"
"$ROOT/scripts/setup-tools.sh"
