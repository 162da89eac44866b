//! A session for people, in a terminal.

use unicode_width::UnicodeWidthStr;

use super::item::Item;
use super::transcript::Transcript;
use super::{Detail, footer};
use crate::error::Result;
use crate::output::{Out, cut};

/// Writes the session.
pub(super) fn write(transcript: &Transcript, detail: Detail, out: &mut Out) -> Result<()> {
    out.heading(&transcript.title())?;
    for fact in transcript.facts() {
        out.remark(&fact)?;
    }
    for message in &transcript.messages {
        out.line("")?;
        let heading = message.heading();
        let (who, facts) = heading.split_once(' ').unwrap_or((&heading, ""));
        let heading = format!("{} {}", out.bold(who), out.dim(facts));
        out.line(heading.trim_end())?;
        for item in message.items(detail) {
            let text = draw(&item, out);
            out.line(text.trim_end_matches('\n'))?;
        }
    }
    footer::write(transcript, out)
}

fn draw(item: &Item, out: &Out) -> String {
    let one_line = |text: &str| match out.width() {
        Some(width) => cut(text, width),
        None => text.to_owned(),
    };
    match item {
        Item::Text(text) => match out.width() {
            Some(width) => wrap(text, width),
            None => text.clone(),
        },
        Item::Summary(line) => out.dim(&one_line(line)),
        Item::FailedCall(line) => out.red(&one_line(line)),
        Item::Failure(why) => out.red(&one_line(&format!("! failed {why}"))),
        Item::Block(text) => indented(text),
    }
}

/// A text whose long lines are broken between words.
fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut used = 0;
        for (at, word) in line.split(' ').enumerate() {
            let wide = word.width();
            if at > 0 && used + 1 + wide > width {
                wrapped.push('\n');
                used = 0;
            } else if at > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += wide;
        }
        wrapped.push('\n');
    }
    wrapped
}

/// Each line a little to the right.
fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn long_lines_are_broken_between_words() {
        assert_eq!(wrap("one two three\nfour", 7), "one two\nthree\nfour\n");
        assert_eq!(wrap("abcdefghij k", 4), "abcdefghij\nk\n");
    }
}
