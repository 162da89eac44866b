# Evaluates flake.nix against a stand-in for nixpkgs, so that a mistake in it is
# found without a network or a store. Used by scripts/check-flake.sh.
let
  # The packages that the shells ask for, by the names that nixpkgs gives them.
  names = [
    "binaryen"
    "bun"
    "cargo"
    "cargo-nextest"
    "clippy"
    "gnumake"
    "lld"
    "nodejs"
    "opencode"
    "ripgrep"
    "rustc"
    "rustfmt"
    "shellcheck"
    "sqlite"
  ];
  genAttrs =
    names: value:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = value name;
      }) names
    );
  packagesFor =
    system:
    genAttrs names (name: "/nix/store/stub-${system}-${name}")
    // {
      mkShell = shell: shell // { isShell = true; };
    };
  nixpkgs = {
    lib = { inherit genAttrs; };
    legacyPackages = genAttrs [
      "aarch64-darwin"
      "aarch64-linux"
      "x86_64-darwin"
      "x86_64-linux"
    ] packagesFor;
  };

  flake = import ../flake.nix;
  inherit (flake.outputs { inherit nixpkgs; }) devShells;
  isShell = shell: builtins.deepSeq shell shell.isShell;
  complete = shells: isShell shells.default && isShell shells.with-daemon-and-plugin;
in
assert builtins.attrNames devShells == builtins.attrNames nixpkgs.legacyPackages;
assert builtins.all complete (builtins.attrValues devShells);
"flake.nix: ${toString (builtins.length (builtins.attrNames devShells))} systems, 2 shells each"
