//! `clankers completions` and `clankers man`: made from the command line's own
//! description, so that they say what it does.

use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::Shell;

use crate::error::{Context, Result};
use crate::output::Out;
use crate::paths::shown;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "bash: clankers completions bash > ~/.local/share/bash-completion/completions/clankers\n\
zsh:  clankers completions zsh > ~/.zfunc/_clankers\n\
fish: clankers completions fish > ~/.config/fish/completions/clankers.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print the man page, or write all of them into a folder
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

/// Prints completions for `program`, the description of the command line.
pub(crate) fn completions(
    args: &CompletionsArgs,
    mut program: Command,
    out: &mut Out,
) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "clankers", &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end())
}

/// Prints or writes the man pages of `program`.
pub(crate) fn man(args: &ManArgs, program: Command, out: &mut Out) -> Result<()> {
    let program = program.disable_help_subcommand(true);
    let Some(folder) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(program).render(&mut page)?;
        return out.line(String::from_utf8_lossy(&page).trim_end());
    };
    write_pages(program, folder).context(|| format!("cannot write {}", shown(folder)))?;
    out.line(&format!("wrote the man pages into {}", shown(folder)))
}

fn write_pages(program: Command, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(program, folder)?;
    Ok(())
}
