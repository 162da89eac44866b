//! `clankers completions` and `clankers man`: made from the command line's own
//! description, so that they say what it does.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
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

/// Prints completions.
pub(crate) fn completions(args: &CompletionsArgs, out: &mut Out) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut crate::args::Args::command(),
        "clankers",
        &mut script,
    );
    out.line(String::from_utf8_lossy(&script).trim_end())
}

/// Prints or writes man pages.
pub(crate) fn man(args: &ManArgs, out: &mut Out) -> Result<()> {
    let command = crate::args::Args::command().disable_help_subcommand(true);
    let Some(folder) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return out.line(String::from_utf8_lossy(&page).trim_end());
    };
    write_pages(command, folder).context(|| format!("cannot write {}", shown(folder)))?;
    out.line(&format!("wrote the man pages into {}", shown(folder)))
}

fn write_pages(command: clap::Command, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)?;
    Ok(())
}
