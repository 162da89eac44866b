# Versions of every tool that the build downloads. Read by the scripts beside
# this file. check-tree.sh fails where Cargo.toml or Cargo.lock has another
# wasm-bindgen.
# shellcheck shell=bash disable=SC2034
WASM_BINDGEN_VERSION=0.2.130
WASM_PACK_VERSION=0.15.1
BINARYEN_VERSION=132.0.0
BUN_VERSION=1.4.5
CARGO_DENY_VERSION=0.20.2
NODE_VERSION=26.10.0
