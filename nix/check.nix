# Evaluates flake.nix against a stand-in for nixpkgs, so that a mistake in it is
# found without a network or a store. Used by scripts/check-flake.sh.
let
  # The packages that are asked for, by the names that nixpkgs gives them.
  names = [
    "binaryen"
    "bun"
    "cargo"
    "cargo-nextest"
    "clippy"
    "gnumake"
    "installShellFiles"
    "lld"
    "nodejs"
    "opencode"
    "ripgrep"
    "rustc"
    "rustfmt"
    "shellcheck"
    "sqlite"
    "tmux"
  ];

  lib = {
    genAttrs =
      names: value:
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = value name;
        }) names
      );
    cleanSource = path: path;
    getExe = package: "/nix/store/stub-${package.pname}/bin/${package.meta.mainProgram}";
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    licenses.mit = "MIT";
    mkEnableOption = description: { inherit description; };
    mkIf = condition: value: if condition then value else { };
    mkOption = option: option;
    optionalString = condition: text: if condition then text else "";
    types.package = "package";
  };

  packagesFor =
    system:
    let
      pkgs = lib.genAttrs names (name: "/nix/store/stub-${system}-${name}") // {
        inherit lib;
        callPackage =
          file: overrides:
          let
            function = import file;
          in
          function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // overrides);
        mkShell = shell: shell // { isShell = true; };
        rustPlatform.buildRustPackage = package: package // { isPackage = true; };
        stdenv = {
          buildPlatform.canExecute = _other: true;
          hostPlatform = { };
        };
      };
    in
    pkgs;
  nixpkgs = {
    inherit lib;
    legacyPackages = lib.genAttrs [
      "aarch64-darwin"
      "aarch64-linux"
      "x86_64-darwin"
      "x86_64-linux"
    ] packagesFor;
  };
  systems = builtins.attrNames nixpkgs.legacyPackages;
  pkgs = nixpkgs.legacyPackages.x86_64-linux;

  flake = (import ../flake.nix).outputs { inherit nixpkgs; };
  evaluates = value: builtins.deepSeq value true;
  inEachSystem = outputs: good: builtins.attrNames outputs == systems && builtins.all good (builtins.attrValues outputs);

  isPackage = package: evaluates package && package.isPackage && package.version != "";
  isShell = shell: evaluates shell && shell.isShell;

  # The module as NixOS would read it, with the daemon turned on.
  module = import flake.nixosModules.default {
    inherit lib pkgs;
    config.services.clankers = {
      enable = true;
      package = module.options.services.clankers.package.default;
    };
  };
  service = module.config.systemd.user.services.clankers;
in
assert inEachSystem flake.packages (outputs: isPackage outputs.default);
assert inEachSystem flake.devShells (
  shells: isShell shells.default && isShell shells.with-daemon-and-plugin
);
assert isPackage (flake.overlays.default pkgs pkgs).clankers;
assert evaluates module;
assert service.serviceConfig.ExecStart == "/nix/store/stub-clankers/bin/clankers daemon --foreground";
"flake.nix: packages, shells, overlay and module evaluate for ${toString (builtins.length systems)} systems"
