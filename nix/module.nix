# The NixOS module: the program, and the daemon as a service of each user.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  settings = config.services.clankers;
in
{
  options.services.clankers = {
    enable = lib.mkEnableOption "the clankers daemon, one for each user who logs in";
    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = "the clankers of this flake";
      description = "The clankers to run.";
    };
  };

  config = lib.mkIf settings.enable {
    environment.systemPackages = [ settings.package ];
    systemd.user.services.clankers = {
      description = "clankers: records what OpenCode does";
      wantedBy = [ "default.target" ];
      serviceConfig = {
        ExecStart = "${lib.getExe settings.package} daemon --foreground";
        Restart = "on-failure";
        RestartSec = 2;
        TimeoutStopSec = 20;
        UMask = "0077";
        NoNewPrivileges = true;
      };
    };
  };
}
