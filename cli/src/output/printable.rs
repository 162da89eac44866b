//! What may reach a terminal of what is stored: a model's words are not to move the
//! cursor, name a window, turn a line round or hide a part of it.

use std::fmt::Write;

use serde_json::Value;

/// Our own ways to paint: bold, dim, red, green, yellow, and none.
const PAINTS: [&str; 6] = ["1m", "2m", "31m", "32m", "33m", "0m"];
/// How each begins.
pub(super) const PAINT: &str = "\u{1b}[";

/// Whether a terminal obeys it, or shows nothing where it is: a control, what turns the
/// direction of writing, or takes no room (Unicode's `Bidi_Control` and the invisible
/// ones of `Default_Ignorable_Code_Point`). Line ends and tabs are none.
fn is_hidden(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}' => true,
        letter => letter.is_control(),
    }
}

/// Text without what is hidden.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|&letter| !is_hidden(letter)).collect()
}

/// The same on one line, each run of white space one space.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without what is hidden but for our own paint, where that `is_painted`.
pub(super) fn painted(text: &str, is_painted: bool) -> String {
    if !is_painted {
        return clean(text);
    }
    let mut pieces = text.split(PAINT);
    let mut whole = pieces.next().map(clean).unwrap_or_default();
    for piece in pieces {
        if PAINTS.iter().any(|paint| piece.starts_with(paint)) {
            whole.push_str(PAINT);
        } else {
            whole.push('[');
        }
        whole.push_str(&clean(piece));
    }
    whole
}

/// A JSON document on one line, in which what is hidden is escaped: the same to every
/// reader of JSON.
pub(crate) fn json(value: &Value) -> String {
    escaped(&value.to_string())
}

/// The same, indented.
pub(super) fn indented_json(value: &Value) -> String {
    escaped(&format!("{value:#}"))
}

/// What is hidden stands in strings alone, where JSON has an escape for any letter.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if !is_hidden(letter) {
            escaped.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Into memory, which never fails.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// One of each kind between two letters.
    const HIDDEN: [&str; 9] = [
        "a\u{1b}b",
        "a\u{7}b",
        "a\u{9b}b",
        "a\rb",
        "a\u{7f}b",
        "a\u{202e}b",
        "a\u{200b}b",
        "a\u{feff}b",
        "a\u{e0041}b",
    ];

    #[test]
    fn nothing_hidden_stays_in_a_text() {
        for text in HIDDEN {
            assert_eq!(clean(text), "ab", "{text:?}");
        }
        assert_eq!(clean("a\u{1b}[31mb\r\nc\td\u{7}"), "a[31mb\nc\td");
        assert_eq!(clean("née, 漢字, 👍🏽, مرحبا"), "née, 漢字, 👍🏽, مرحبا");
        assert_eq!(one_line("  a\n\n b\t c "), "a b c");
    }

    #[test]
    fn only_our_own_paint_stays_and_only_where_there_is_any() {
        let ours = "\u{1b}[31mred\u{1b}[0m";
        assert_eq!(painted(ours, true), ours);
        assert_eq!(painted(ours, false), "[31mred[0m");
        let theirs = "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[1;1Hx\u{1b}[0m";
        assert_eq!(painted(theirs, true), "[2J]0;title[1;1Hx\u{1b}[0m");
    }

    #[test]
    fn json_says_the_same_with_nothing_hidden_in_it() {
        for text in HIDDEN {
            let value = json!({ text: [text, 1, null], "b": {} });
            for written in [json(&value), indented_json(&value)] {
                assert!(!written.chars().any(is_hidden), "{written:?}");
                let read: Value = serde_json::from_str(&written).unwrap();
                assert_eq!(read, value);
            }
        }
        let value = json!({ "a": ["\"\n\u{8}", 0.1, true], "b": {} });
        assert_eq!(json(&value), value.to_string());
        assert_eq!(
            indented_json(&value),
            serde_json::to_string_pretty(&value).unwrap()
        );
    }
}
