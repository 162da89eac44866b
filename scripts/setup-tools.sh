#!/usr/bin/env bash
# Puts the pinned tools into the cache: from npm Node.js, Bun and wasm-opt, from
# crates.io wasm-bindgen and, when `tests` is asked for, wasm-pack and cargo-deny.
# Says nothing when all are there.
source "$(dirname "$0")/env.sh"

announced=
announce() {
  [[ -n "$announced" ]] || say "Setting up the pinned tools in $TOOLS"
  announced=1
  note "$1"
}

# install_npm_tool <package> <version>
install_npm_tool() {
  local dir staged
  dir="$(npm_tool_dir "$1" "$2")"
  [[ -d "$dir" ]] && return
  announce "npm install $1@$2"
  have npm || apt_install nodejs npm
  # Staged beside its place and moved in whole: an interrupted download leaves
  # nothing that looks complete.
  mkdir -p "$TOOLS"
  staged="$(mktemp -d "$dir.XXXXXX")"
  # A package.json of its own, or npm would look for a project further up.
  printf '{"private":true}\n' >"$staged/package.json"
  npm install --prefix "$staged" --no-save --no-package-lock "$1@$2" >/dev/null
  move_in_place "$staged" "$dir"
}

# install_cargo_tool <crate> <binary> <version>
install_cargo_tool() {
  [[ "$("$TOOLS/bin/$2" --version 2>/dev/null)" == "$2 $3" ]] && return
  announce "cargo install $1 $3 (some minutes, once)"
  cargo install --quiet --root "$TOOLS" --version "=$3" "$1"
}

# In a Nix shell these come from nixpkgs: what npm ships does not start on NixOS.
if [[ -z "${CLANKERS_SYSTEM_TOOLS:-}" ]]; then
  install_npm_tool node "$NODE_VERSION"
  install_npm_tool bun "$BUN_VERSION"
  install_npm_tool binaryen "$BINARYEN_VERSION"
fi
install_cargo_tool wasm-bindgen-cli wasm-bindgen "$WASM_BINDGEN_VERSION"
if [[ "${1:-}" == tests ]]; then
  install_cargo_tool wasm-pack wasm-pack "$WASM_PACK_VERSION"
  install_cargo_tool cargo-deny cargo-deny "$CARGO_DENY_VERSION"
fi
