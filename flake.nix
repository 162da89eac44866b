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
      forEachSystem = shells: nixpkgs.lib.genAttrs systems (system: shells nixpkgs.legacyPackages.${system});
    in
    {
      devShells = forEachSystem (pkgs: import ./nix/shells.nix { inherit pkgs; });
    };
}
