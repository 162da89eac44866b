{
  description = "clankers: records what happens in OpenCode as rows a person can query";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-darwin"
        "x86_64-linux"
      ];
      forEachSystem = value: nixpkgs.lib.genAttrs systems (system: value nixpkgs.legacyPackages.${system});
      package = pkgs: pkgs.callPackage ./nix/package.nix { };
    in
    {
      packages = forEachSystem (pkgs: {
        default = package pkgs;
      });
      overlays.default = final: _previous: { clankers = package final; };
      nixosModules.default = ./nix/module.nix;
      devShells = forEachSystem (pkgs: import ./nix/shells.nix { inherit pkgs; });
    };
}
