#!/usr/bin/env bash
# Builds the `clankers` program: target/debug/clankers, which the demo and the
# tests run, or with --release target/release/clankers, which is for use. It
# carries the plugin where that was built before (scripts/build.sh).
source "$(dirname "$0")/env.sh"
say "Building the clankers program"
cd "$ROOT"
cargo build --quiet --locked --package clankers-cli "$@"
[[ "${1:-}" == --release ]] && profile=release || profile=debug
note "target/$profile/clankers"
