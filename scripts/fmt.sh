#!/usr/bin/env bash
# Formats Rust with rustfmt and TypeScript with Biome.
source "$(dirname "$0")/env.sh"
source "$ROOT/scripts/checks.sh"
"$ROOT/scripts/setup-tools.sh"
cd "$ROOT"
cargo fmt --all
npm_script plugin-shim fmt
npm_script tests/e2e fmt
