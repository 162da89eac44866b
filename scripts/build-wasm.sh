#!/usr/bin/env bash
# Compiles the core to WebAssembly and writes pkg/: clankers_bg.wasm, its
# JavaScript glue and its types.
#
# cargo and wasm-bindgen are called directly: `wasm-pack build` has no way to
# pass --experimental-reset-state-function, which the shim needs to build the
# core anew after a trap.
source "$(dirname "$0")/env.sh"
"$ROOT/scripts/setup.sh"
source "$ROOT/scripts/wasm-env.sh"
use_wasm_rust

cd "$ROOT"
say "Compiling the core to WebAssembly"
cargo build --release --locked --lib --package clankers --target "$WASM_TARGET"

# Written elsewhere first and moved in whole, so that pkg/ is never half new.
out="$(mktemp -d "$ROOT/target/pkg.XXXXXX")"
trap 'rm -rf "$out"' EXIT
wasm-bindgen --target web --experimental-reset-state-function --out-name clankers --out-dir "$out" \
  "$CARGO_TARGET_DIR/$WASM_TARGET/release/clankers.wasm"

# The features are those that rustc turns on for this target.
wasm-opt -O3 --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext \
  "$out/clankers_bg.wasm" -o "$out/clankers_bg.wasm"
chmod 755 "$out"
rm -rf "$ROOT/pkg"
mv "$out" "$ROOT/pkg"
note "pkg/clankers_bg.wasm: $(wc -c <"$ROOT/pkg/clankers_bg.wasm") bytes"
