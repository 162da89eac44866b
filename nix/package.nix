# The `clankers` program, with its man pages and completions.
{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
}:
rustPlatform.buildRustPackage {
  pname = "clankers";
  version = (lib.importTOML ../Cargo.toml).workspace.package.version;
  src = lib.cleanSource ../.;
  cargoLock.lockFile = ../Cargo.lock;
  cargoBuildFlags = [ "--package=clankers-cli" ];

  # `make test` runs the tests, on real OpenCode among others.
  doCheck = false;

  nativeBuildInputs = [ installShellFiles ];
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    $out/bin/clankers man --dir man
    installManPage man/*.1
    for shell in bash fish zsh; do
      $out/bin/clankers completions $shell > clankers.$shell
    done
    installShellCompletion --cmd clankers --bash clankers.bash --fish clankers.fish --zsh clankers.zsh
  '';

  meta = {
    description = "Records what happens in OpenCode as rows a person can query";
    homepage = "https://github.com/dxta-dev/clankers";
    license = lib.licenses.mit;
    mainProgram = "clankers";
  };
}
