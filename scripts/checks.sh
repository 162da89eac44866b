# Sourced by lint.sh and test.sh: each check is a function, run by `step`.
# shellcheck shell=bash

# npm_script <folder> <script>
npm_script() {
  npm_ci "$ROOT/$1"
  npm run --silent --prefix "$ROOT/$1" "$2"
}

check_rustfmt() { cargo fmt --all --check; }

clippy_native() {
  cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
}

# cargo-clippy is named outright: `cargo clippy` prefers the one in ~/.cargo/bin,
# which may belong to another compiler.
clippy_wasm() {
  source "$ROOT/scripts/wasm-env.sh"
  use_wasm_rust
  cargo-clippy clippy --quiet --locked --package clankers --lib --test wasm --target "$WASM_TARGET" -- -D warnings
}

# deny.toml says what is allowed. Without the list of known holes, which is a
# repository of its own: nothing is fetched here.
check_dependencies() {
  "$ROOT/scripts/setup-tools.sh" tests
  "$TOOLS/bin/cargo-deny" --offline --log-level warn check --hide-inclusion-graph bans licenses sources
}

test_native() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace --no-fail-fast
    cargo test --quiet --locked --workspace --doc
  else
    cargo test --quiet --locked --workspace --no-fail-fast
  fi
}

test_wasm() {
  "$ROOT/scripts/setup-tools.sh" tests
  source "$ROOT/scripts/wasm-env.sh"
  use_wasm_rust
  WASM_BINDGEN_TEST_ONLY_NODE=1 wasm-pack --log-level error test --node -- --locked --test wasm
}

# In a folder of its own: a developer's daemon is left alone.
test_dev_home() {
  CLANKERS_DEV_HOME="$(mktemp -d)"
  export CLANKERS_DEV_HOME
  "$ROOT/scripts/dev-home.sh"
  "$ROOT/scripts/dev-home.sh" --daemon
  # shellcheck source=/dev/null
  source "$CLANKERS_DEV_HOME/env"
  clankers daemon --stop
  rm -rf "$CLANKERS_DEV_HOME"
}

# About half of what the tests in OpenCode take; the other files are the other
# half. Each waits much of its time, so that both run at once.
E2E_HALF='/(daemon|loading|releases|spend|stores|takeover)\.test\.ts$'

# What failed is told once more at the end, for who sees that alone.
test_e2e() {
  local logs first second status=0
  logs="$(mktemp -d)"
  mapfile -t first < <(e2e_files | grep -E "$E2E_HALF")
  mapfile -t second < <(e2e_files | grep -vE "$E2E_HALF")
  bun test "${second[@]}" >"$logs/second" 2>&1 &
  bun test "${first[@]}" 2>&1 | tee "$logs/first" || status=$?
  wait $! || status=$?
  cat "$logs/second"
  e2e_failures "$logs/first" "$logs/second" | tail -n 60 >"$STEP_DETAILS"
  rm -rf "$logs"
  return "$status"
}

e2e_files() { find "$ROOT/tests/e2e" -maxdepth 1 -name '*.test.ts' | sort; }

# Each failure from its last error on; bun repeats all of them behind its last heading.
e2e_failures() {
  awk 'FNR == 1 { why = ""; over = 0 } /^[0-9]+ tests failed:/{ over = 1 } over { next }
    /^error: /{ why = "" } { why = why $0 "\n" } /^\((pass|skip)\)/{ why = "" }
    /^\(fail\)/{ printf "%s", why; why = "" }' "$@"
}

# What both `make lint` and `make test` begin with. tsc reads pkg/'s types, so
# the build comes before it.
run_lints() {
  step "Tools" "$ROOT/scripts/setup.sh"
  step "No machine path, registry host or stray pin in the tree" "$ROOT/scripts/check-tree.sh"
  step "flake.nix evaluates" "$ROOT/scripts/check-flake.sh"
  step "rustfmt" check_rustfmt
  step "clippy, native" clippy_native
  step "clippy, wasm32" clippy_wasm
  step "Licences and sources of the dependencies" check_dependencies
  step "Build" "$ROOT/scripts/build.sh"
  local folder
  for folder in plugin-shim tests/e2e; do
    step "Biome, $folder" npm_script "$folder" lint
    step "tsc, $folder" npm_script "$folder" typecheck
  done
}
