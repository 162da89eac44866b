//! A session for notes and issues, in Markdown.

use super::item::Item;
use super::transcript::Transcript;
use super::{Detail, footer};
use crate::error::Result;
use crate::output::Out;

/// Writes the session.
pub(super) fn write(transcript: &Transcript, detail: Detail, out: &mut Out) -> Result<()> {
    out.line(&format!("# {}\n", transcript.title()))?;
    for fact in transcript.facts() {
        out.line(&format!("- {fact}"))?;
    }
    for message in &transcript.messages {
        out.line(&format!("\n## {}", message.heading()))?;
        for item in message.items(detail) {
            let text = match item {
                Item::Text(text) => text,
                Item::Summary(line) | Item::FailedCall(line) => format!("> {line}"),
                Item::Failure(why) => format!("> **failed** {why}"),
                Item::Block(text) => fenced(&text),
            };
            out.line(&format!("\n{text}"))?;
        }
    }
    footer::write(transcript, out)
}

/// A code block whose fence does not occur in its own text.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::fenced;

    #[test]
    fn a_block_is_not_ended_by_its_text() {
        assert_eq!(fenced("a\n```\nb"), "````\na\n```\nb\n````");
    }
}
