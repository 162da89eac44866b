#!/usr/bin/env bash
# Makes Rust able to compile for wasm32: by rustup where it can fetch the
# target, else with Debian's Rust and its standard library built once from
# source. Does nothing when there is one already.
source "$(dirname "$0")/env.sh"
source "$ROOT/scripts/wasm-env.sh"

add_target_by_rustup() {
  have rustup && [[ "${CLANKERS_WASM_RUST:-}" != debian ]] || return 1
  note "rustup target add $WASM_TARGET"
  rustup target add "$WASM_TARGET" >/dev/null 2>&1 && native_rust_has_wasm
}

# What cargo and rustc are called by: the same compiler, another sysroot.
write_wrappers() {
  local dir="$1" name
  mkdir -p "$dir/bin"
  for name in cargo cargo-clippy clippy-driver; do
    ln -sf "/usr/bin/$name" "$dir/bin/$name"
  done
  ln -sf "$(command -v wasm-ld-22)" "$dir/bin/wasm-ld"
  for name in rustdoc rustc; do
    printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$name" "$dir" >"$dir/bin/$name"
    chmod +x "$dir/bin/$name"
  done
}

# Compiles the standard library for wasm32 into the folder given. Optimised,
# and with bitcode, so that link-time optimisation reaches into it.
build_std() {
  local out="$1" work
  work="$(mktemp -d)"
  mkdir -p "$work/src"
  touch "$work/src/lib.rs"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$work/Cargo.toml"
  (
    cd "$work"
    env -u RUSTUP_TOOLCHAIN RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cembed-bitcode=yes -Ccodegen-units=1" \
      CARGO_TARGET_DIR="$work/target" \
      /usr/bin/cargo build --quiet --release --target "$WASM_TARGET" \
      -Zbuild-std=std,panic_abort,test,proc_macro
  )
  mkdir -p "$out"
  cp "$work/target/$WASM_TARGET/release/deps/"*.rlib "$out/"
  rm -f "$out"/libempty-*.rlib
  rm -rf "$work"
}

set_up_debian_rust() {
  local packages=(rustc-web cargo-web rust-web-src rust-web-clippy lld-22)
  local dir staged host
  dpkg-query -W "${packages[@]}" >/dev/null 2>&1 || apt_install "${packages[@]}"
  dir="$(debian_rust_dir)"
  if [[ ! -x "$dir/bin/rustc" ]]; then
    note "building the standard library for $WASM_TARGET (about a minute, once)"
    # Staged beside its place and moved in whole: an interrupted set-up leaves
    # nothing that looks complete.
    mkdir -p "$(dirname "$dir")"
    staged="$(mktemp -d "$dir.XXXXXX")"
    host="$(/usr/bin/rustc --print host-tuple)"
    mkdir -p "$staged/lib/rustlib"
    ln -s "/usr/lib/rustlib/$host" "$staged/lib/rustlib/$host"
    build_std "$staged/lib/rustlib/$WASM_TARGET/lib"
    move_in_place "$staged" "$dir"
    write_wrappers "$dir"
  fi
  use_debian_rust "$dir"
}

if use_wasm_rust; then exit; fi
say "Setting up Rust for $WASM_TARGET"
add_target_by_rustup || {
  note "rustup cannot fetch it here; using Debian's Rust"
  set_up_debian_rust
}
use_wasm_rust || die "no Rust toolchain here can compile for $WASM_TARGET"
note "$(rustc --version)"
