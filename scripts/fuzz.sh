#!/usr/bin/env bash
# The fuzz targets (fuzz/): libFuzzer tries inputs that it makes from recordings.
#   scripts/fuzz.sh [SECONDS [TARGET …]]   each so long (10), two at a time
#   scripts/fuzz.sh TARGET FILE …          these inputs, once
# The compiler is the one that builds everything else. CLANKERS_FUZZ_SEED=N begins
# with another seed.
source "$(dirname "$0")/env.sh"
cd "$ROOT"

TARGETS=(decode1 decode2 frames import sequences)
BINARIES="${CARGO_TARGET_DIR:-target}/debug"
WORK="${CARGO_TARGET_DIR:-target}/fuzz"
# The longest input, bytes.
LONGEST=16384

build() {
  RUSTC_WORKSPACE_WRAPPER="$ROOT/scripts/fuzz-rustc.sh" \
    cargo build --quiet --locked --package clankers-fuzz --features fuzzing --bins
}

# Whether what is run is the target with its coverage: one without would find little.
check_coverage() {
  grep -q 'Loaded 1 modules' "$1" || die "$1: it was built without coverage"
}

# run_target <target> <seconds>: what it says goes into a log.
run_target() {
  local work="$WORK/$1" corpora=("$WORK/seeds/$1") status=0
  [[ ! -d "fuzz/regressions/$1" ]] || corpora+=("fuzz/regressions/$1")
  rm -rf "$work"
  mkdir -p "$work/corpus" "$work/found"
  "$BINARIES/$1" -max_total_time="$2" -timeout=25 -rss_limit_mb=2048 -max_len="$LONGEST" \
    -len_control=0 -reload=0 -seed="${CLANKERS_FUZZ_SEED:-1}" -print_final_stats=1 \
    -artifact_prefix="$work/found/" "$work/corpus" "${corpora[@]}" >"$work/log" 2>&1 || status=$?
  if [[ $status -ne 0 ]]; then
    tail -n 60 "$work/log"
    note "$1 failed. Again: scripts/fuzz.sh $1 $(find "$work/found" -type f | head -n 1)"
    return 1
  fi
  check_coverage "$work/log"
  note "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/log" | tail -n 1) places reached"
}

fuzz() {
  local seconds="$1" status=0 target running=0
  shift
  local targets=("$@")
  [[ ${#targets[@]} -gt 0 ]] || targets=("${TARGETS[@]}")
  bun fuzz/seeds.ts "$WORK/seeds"
  for target in "${targets[@]}"; do
    if ((running == 2)); then
      wait -n || status=$?
      running=1
    fi
    run_target "$target" "$seconds" &
    running=$((running + 1))
  done
  while ((running > 0)); do
    wait -n || status=$?
    running=$((running - 1))
  done
  return "$status"
}

"$ROOT/scripts/setup.sh"
# libFuzzer is C++; which release of it, Cargo.lock says.
have c++ || apt_install g++
build
if [[ "${1:-10}" =~ ^[0-9]+$ ]]; then
  fuzz "${1:-10}" "${@:2}"
else
  exec "$BINARIES/$1" "${@:2}"
fi
