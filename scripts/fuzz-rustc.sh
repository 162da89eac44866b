#!/usr/bin/env bash
# Called by cargo in the place of rustc for this project's own crates
# (scripts/fuzz.sh): with what libFuzzer needs to see which code an input reaches.
# Texts are compared by calls, of which it learns what they are compared with.
# All of it is stable; what others wrote is compiled as ever.
# Cargo does not see when they change: `make clean` then.
rustc="$1"
shift
for argument in "$@"; do
  # It runs at compile time, without libFuzzer.
  [[ "$argument" != build_script_build ]] || exec "$rustc" "$@"
done
exec "$rustc" "$@" --cfg fuzzing -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares \
  -Cllvm-args=-max-loads-per-memcmp=0
