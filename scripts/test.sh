#!/usr/bin/env bash
# Everything that must hold. Stops at the first failure.
source "$(dirname "$0")/env.sh"
source "$ROOT/scripts/steps.sh"
source "$ROOT/scripts/checks.sh"
cd "$ROOT"

# A day of OpenCode 2 that nobody has played before, unless one is to be repeated.
export E2E_DAY_SEED="${E2E_DAY_SEED:-$((RANDOM * 32768 + RANDOM))}"

run_lints
step "Rust tests, native" test_native
step "Rust tests, wasm32 under Node.js" test_wasm
step "Plugin tests under Bun" npm_script plugin-shim test:bun
step "Plugin tests under Node.js" npm_script plugin-shim test:node
step "A home for development" test_dev_home
step "What the tests in OpenCode need" "$ROOT/scripts/setup-e2e.sh"
note "with the day of E2E_DAY_SEED=$E2E_DAY_SEED"
step "Tests in real OpenCode" test_e2e
finish
