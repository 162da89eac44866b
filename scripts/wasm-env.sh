# Sourced by what compiles for wasm32: picks the Rust toolchain that has the
# target. See setup-rust-wasm.sh for where each comes from.
# shellcheck shell=bash
WASM_TARGET=wasm32-unknown-unknown

# Native and wasm32 builds may use different compilers. In one folder each
# would throw the other's artifacts away.
export CARGO_TARGET_DIR="$ROOT/target/wasm"

# Whether the rustc on the PATH can compile for wasm32. CLANKERS_WASM_RUST=debian
# asks for Debian's all the same, to test that route where rustup would do.
native_rust_has_wasm() {
  [[ "${CLANKERS_WASM_RUST:-}" != debian ]] || return 1
  have rustc && compgen -G "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib/libstd-*.rlib" >/dev/null
}

# Debian's Rust with a wasm32 standard library built from Debian's sources,
# in a folder of its own: nothing is written into the system's.
debian_rust_dir() {
  local version
  version="$(dpkg-query -W -f '${Version}' rustc-web 2>/dev/null)" || return 1
  printf '%s/rust-wasm/%s' "$CLANKERS_CACHE" "$version"
}

use_debian_rust() {
  WASM_RUST="$1"
  export PATH="$WASM_RUST/bin:$PATH"
  export RUSTC="$WASM_RUST/bin/rustc" RUSTDOC="$WASM_RUST/bin/rustdoc"
  export SYSROOT="$WASM_RUST" # read by clippy-driver
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$WASM_RUST/bin/wasm-ld"
}

# Fails when no toolchain can compile for wasm32 yet.
use_wasm_rust() {
  native_rust_has_wasm && return
  local dir
  dir="$(debian_rust_dir)" && [[ -x "$dir/bin/rustc" ]] || return 1
  use_debian_rust "$dir"
}
