//! `clankers search`: full-text, ranked.

use crate::cell::Cell;
use crate::error::Result;
use crate::output::{Format, Kind, Out, Table, clean, column, counted, one_line, time};
use crate::paths::Paths;
use crate::search::{Hit, Index};

/// Find words in titles, messages, thoughts and tool calls
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All words must occur. \"two words\" stand together, begin* is the beginning \
of a word, -word must not occur (after --). The index is a file beside the database; it holds no text."
)]
pub(crate) struct Args {
    /// What to look for
    #[arg(required = true)]
    words: Vec<String>,
    /// At most this many
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    /// Rebuild the index first
    #[arg(long)]
    rebuild: bool,
}

/// Control characters that mark what was found in a snippet. Output replaces them:
/// by colour for people, by asterisks for programs.
const MARKS: (&str, &str) = ("\u{2}", "\u{3}");

/// Prints the places where the words occur, the best first.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let words: Vec<String> = args.words.iter().map(|word| quoted(word)).collect();
    let hits = Index::open(&paths.db, args.rebuild)?.search(&words.join(" "), args.limit, MARKS)?;
    if out.format != Format::Table {
        return out.table(&table(&hits));
    }
    for hit in &hits {
        let what = match hit.kind.as_str() {
            "title" => "title".to_owned(),
            "thought" => "thought".to_owned(),
            "tool" => format!("tool {}", hit.who.as_deref().unwrap_or_default()),
            _ => match hit.who.as_deref() {
                Some("user") => "you".to_owned(),
                other => other.unwrap_or("message").to_owned(),
            },
        };
        let session: String = hit
            .session_id
            .as_deref()
            .unwrap_or_default()
            .chars()
            .take(16)
            .collect();
        let title = out.bold(&one_line(
            hit.session_title.as_deref().unwrap_or("(no title)"),
        ));
        let facts = out.dim(&format!(
            "{session}  {}  {what}",
            hit.at.map(time).unwrap_or_default()
        ));
        out.line(&format!("{title}  {facts}"))?;
        let snippet = hit.snippet.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut line = String::new();
        for (at, piece) in snippet.split(['\u{2}', '\u{3}']).enumerate() {
            let piece = clean(piece);
            line.push_str(&if at % 2 == 1 {
                out.yellow(&piece)
            } else {
                piece
            });
        }
        out.line(&format!("  {line}\n"))?;
    }
    let summary = match hits.len() {
        0 => "nothing was found; fewer words, or the beginning of one with *, find more".to_owned(),
        1 => "1 place; `clankers show SESSION` shows all of it".to_owned(),
        many => format!(
            "{}; `clankers show SESSION` shows all of one",
            counted(many, "place")
        ),
    };
    out.aside(&summary)
}

/// An argument with a space in it was quoted in the shell: it is one phrase.
fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) && !word.contains('"') {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}

fn table(hits: &[Hit]) -> Table {
    let mut table = Table::new(vec![
        column("session_id", Kind::Id).titled("session"),
        column("session_title", Kind::Text).titled("title"),
        column("at", Kind::Time),
        column("kind", Kind::Text),
        column("who", Kind::Text),
        column("message_id", Kind::Id).data(),
        column("rank", Kind::Plain).data(),
        column("snippet", Kind::Text),
    ]);
    for hit in hits {
        let snippet = hit.snippet.replace(['\u{2}', '\u{3}'], "**");
        table.rows.push(vec![
            hit.session_id.clone().into(),
            hit.session_title.clone().into(),
            hit.at.into(),
            hit.kind.clone().into(),
            hit.who.clone().into(),
            hit.message_id.clone().into(),
            Cell::Real(hit.rank),
            one_line(&snippet).into(),
        ]);
    }
    table
}
