//! `clankers show`: one session, from its first message to its last.
//!
//! `transcript` reads the rows. `header`, `message`, `part`, `tool_call` and
//! `footer` say what is shown of them, as `item`s where it is of a message;
//! `terminal` and `markdown` write that for people. `data` writes the rows as they are, for programs.

mod data;
mod footer;
mod header;
mod item;
mod markdown;
mod message;
mod part;
mod terminal;
mod tool_call;
mod transcript;

use super::session_id;
use crate::error::Result;
use crate::output::{Format, Out};
use crate::paths::Paths;
use crate::store::open_marked_reader;
use transcript::Transcript;

/// Show one session: what was said, done and spent
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The session: its id, the beginning of one, or `last`
    #[arg(default_value = "last")]
    session: String,
    #[command(flatten)]
    detail: Detail,
    /// Also what OpenCode does not have any more, though nobody deleted it
    #[arg(long)]
    missing: bool,
}

/// What is shown whole, and not as one line that stands for it.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Detail {
    /// What tools were given and what they returned, whole
    #[arg(long, short)]
    tools: bool,
    /// What the model thought, whole
    #[arg(long, short)]
    reasoning: bool,
}

/// Shows the session.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let db = open_marked_reader(&paths.db)?;
    // All queries see the same moment, whatever is written meanwhile.
    db.execute_batch("BEGIN")?;
    let id = session_id::resolve(&db, &args.session, args.missing)?;
    let mut transcript = Transcript::read(&db, &id)?;
    if !args.missing {
        transcript.hide_missing();
    }
    match out.format {
        Format::Table => terminal::write(&transcript, args.detail, out),
        Format::Md => markdown::write(&transcript, args.detail, out),
        Format::Json => out.json(&data::document(&transcript)),
        Format::Jsonl => {
            for message in &transcript.messages {
                out.json_line(&data::message(message))?;
            }
            Ok(())
        }
        Format::Csv => out.table(&data::messages(&transcript)),
    }
}
