# The two development shells. `make` does the rest in both.
{ pkgs }:
let
  tools = {
    packages = with pkgs; [
      # Rust: nixpkgs' rustc has the wasm32 target's standard library.
      cargo
      cargo-nextest
      clippy
      lld
      rustc
      rustfmt

      # The plugin and its tests.
      binaryen
      bun
      nodejs
      ripgrep
      tmux

      # To look at what was recorded, and to lint the scripts.
      gnumake
      shellcheck
      sqlite
    ];

    # Node.js, Bun and wasm-opt come from here and not from npm, whose programs
    # do not start on NixOS. wasm-bindgen, whose version must equal the crate's,
    # is built by cargo into the cache.
    CLANKERS_SYSTEM_TOOLS = "1";
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = "${pkgs.lld}/bin/wasm-ld";
  };
in
{
  default = pkgs.mkShell tools;

  # An OpenCode started in this shell loads the plugin of this checkout, which
  # records through a daemon of this checkout into .clankers-dev/, away from the
  # person's own database. The daemon ends with the shell.
  with-daemon-and-plugin = pkgs.mkShell (
    tools
    // {
      packages = tools.packages ++ [ pkgs.opencode ];
      shellHook = ''
        root="$(git rev-parse --show-toplevel)"
        if "$root/scripts/dev-home.sh" --daemon; then
          source "$root/.clankers-dev/env"
          trap 'clankers daemon --stop' EXIT
        fi
      '';
    }
  );
}
