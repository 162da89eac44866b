#!/usr/bin/env bash
# Everything that must hold. Stops at the first failure.
source "$(dirname "$0")/env.sh"
source "$ROOT/scripts/steps.sh"
source "$ROOT/scripts/checks.sh"
cd "$ROOT"
run_lints
step "Rust tests, native" test_native
step "Rust tests, wasm32 under Node.js" test_wasm
step "Plugin tests under Bun" npm_script plugin-shim test:bun
step "Plugin tests under Node.js" npm_script plugin-shim test:node
step "A home for development" test_dev_home
step "What the tests in OpenCode need" "$ROOT/scripts/setup-e2e.sh"
step "Tests in real OpenCode" test_e2e
finish
