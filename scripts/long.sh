#!/usr/bin/env bash
# Runs that take longer than a change can wait for: many histories, made at
# random, inputs of the fuzz targets, every scenario of OpenCode 2, and whole days of it.
# The seed of the first of each is printed; CLANKERS_HISTORY_SEED=N,
# CLANKERS_FUZZ_SEED=N and E2E_DAY_SEED=N begin there.
source "$(dirname "$0")/env.sh"
source "$ROOT/scripts/steps.sh"
cd "$ROOT"

export CLANKERS_HISTORIES="${CLANKERS_HISTORIES:-200}"
export CLANKERS_HISTORY_SEED="${CLANKERS_HISTORY_SEED:-$((RANDOM * 32768 + RANDOM))}"
export E2E_DAY_SEED="${E2E_DAY_SEED:-$((RANDOM * 32768 + RANDOM))}"
export CLANKERS_FUZZ_SEED="${CLANKERS_FUZZ_SEED:-$((RANDOM * 32768 + RANDOM + 1))}"
E2E_DAYS="${E2E_DAYS:-2}"

# The two runtimes play other histories: the second goes on where the first ends.
histories_under_bun() {
  bun test --only-failures --timeout 60000 "$ROOT/plugin-shim/tests/histories"
}
histories_under_node() {
  CLANKERS_HISTORY_SEED=$((CLANKERS_HISTORY_SEED + CLANKERS_HISTORIES)) \
    node --test --test-reporter=dot "$ROOT/plugin-shim/tests/histories/*.test.ts"
}

# One drain leaves what many leave: other commands than `make test` plays.
drains() {
  CLANKERS_RANDOM=1 PROPTEST_CASES=4096 cargo test --quiet --locked --package clankers --test native draining
}
# What is repeated deletes nothing and brings nothing back.
revivals() {
  PROPTEST_CASES=4096 cargo test --quiet --locked --package clankers --test native revivals
}

# What OpenCode 2 tells and answers, and both dialects beside each other: likewise.
histories_of_two() {
  CLANKERS_RANDOM=1 PROPTEST_CASES=4096 cargo test --quiet --locked --package clankers --test native properties::two
}

# What is compiled for the fuzz targets alone; their wrapper says `fuzzing` likewise.
clippy_fuzz() {
  cargo clippy --quiet --locked --package clankers-fuzz --features fuzzing --bins -- --cfg fuzzing -D warnings
}

# Every scenario of OpenCode 2 in a home of its own, and what else in these files
# `make test` has no time for.
scenarios() {
  local files=("$ROOT"/tests/e2e/{loading,opencode2,takeover,stopped,stores}.test.ts)
  E2E_SCENARIO=all bun test --max-concurrency 2 "${files[@]}"
}

# Every scenario there is, once in each day, in an order of its own.
days() {
  local day
  for ((day = 0; day < E2E_DAYS; day++)); do
    E2E_DAY_SEED=$((E2E_DAY_SEED + day)) E2E_DAY_SCENARIOS=all bun test "$ROOT/tests/e2e/day.test.ts"
  done
}

step "Random drains" drains
step "Random revivals" revivals
step "Random histories of OpenCode 2" histories_of_two
note "from CLANKERS_FUZZ_SEED=$CLANKERS_FUZZ_SEED on"
step "clippy, fuzz targets" clippy_fuzz
step "Fuzz targets, 5 minutes each" "$ROOT/scripts/fuzz.sh" 300
step "The core as WebAssembly" "$ROOT/scripts/build-wasm.sh"
note "$CLANKERS_HISTORIES histories each, from CLANKERS_HISTORY_SEED=$CLANKERS_HISTORY_SEED on"
step "Histories under Bun" histories_under_bun
step "Histories under Node.js" histories_under_node
step "What the tests in real OpenCode need" "$ROOT/scripts/setup-e2e.sh"
step "The plugin" "$ROOT/scripts/build.sh"
step "The program" "$ROOT/scripts/build-cli.sh"
step "All scenarios in real OpenCode" scenarios
note "$E2E_DAYS days, from E2E_DAY_SEED=$E2E_DAY_SEED on"
step "Days of OpenCode 2" days
finish
