//! JSON that JavaScript reads and `serde_json` does not: halves of characters, and
//! what is nested deeper than is safe to read.

use serde_json::Value;

/// How deep a document is read as what it is. What is nested deeper is kept as
/// its JSON text: reading takes a piece of the stack for each level.
const DEEPEST: usize = 512;

/// The same JSON with U+FFFD for each half of a character, and with strings in the
/// place of what is nested too deep, which hold its JSON text.
pub(super) fn mended(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_in_string = false;
    let mut depth = 0_usize;
    let mut deep_from = 0;
    while let Some((plain, marked)) = rest
        .find(['"', '\\', '{', '[', '}', ']'])
        .and_then(|at| rest.split_at_checked(at))
    {
        mended.push_str(plain);
        if marked.starts_with('\\') {
            let (escape, after) = escape(marked);
            mended.push_str(escape);
            rest = after;
            continue;
        }
        let (mark, after) = marked.split_at(1);
        rest = after;
        if matches!(mark, "{" | "[") && !is_in_string {
            if depth == DEEPEST {
                deep_from = mended.len();
            }
            depth += 1;
        }
        mended.push_str(mark);
        if mark == "\"" {
            is_in_string = !is_in_string;
        } else if matches!(mark, "}" | "]") && !is_in_string {
            depth = depth.saturating_sub(1);
            if depth == DEEPEST {
                let deep = Value::String(mended.split_off(deep_from));
                mended.push_str(&deep.to_string());
            }
        }
    }
    mended + rest
}

/// The escape that a text begins with, whole, and what follows it.
fn escape(text: &str) -> (&str, &str) {
    let after = |at| text.get(at..).unwrap_or_default();
    let kept = |length| text.split_at_checked(length).unwrap_or((text, ""));
    match unit(text) {
        Some(0xD800..=0xDBFF) if matches!(unit(after(6)), Some(0xDC00..=0xDFFF)) => kept(12),
        Some(0xD800..=0xDFFF) => ("\\ufffd", after(6)),
        Some(_) => kept(6),
        None => kept(text.chars().take(2).map(char::len_utf8).sum()),
    }
}

/// The UTF-16 unit that a text begins with the escape of.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DEEPEST, mended};

    fn read(text: &str) -> Value {
        serde_json::from_str(&mended(text)).unwrap()
    }

    #[test]
    fn half_a_character_is_replaced_and_a_whole_one_kept() {
        let text = r#"{"a\udfff":"x\ud83dy \ud83d\ude00 \ude00\ud83d \\ud800 \"[\ud800"}"#;
        let expected =
            json!({ "a\u{fffd}": "x\u{fffd}y \u{1f600} \u{fffd}\u{fffd} \\ud800 \"[\u{fffd}" });
        assert_eq!(read(text), expected);
    }

    #[test]
    fn what_is_nested_too_deep_is_its_text() {
        let nested = |levels: usize| format!("{}\"]\"{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(mended(&nested(DEEPEST)), nested(DEEPEST));
        let deep = format!("{{\"a\": [{}, {{}}]}}", nested(DEEPEST + 1000));
        let deep = mended(&deep);

        let end = Value::String(nested(1002)).to_string();
        assert!(deep.contains(&end), "{deep}");
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in ["]]}{", "{\"a", "\\", "\"\\u12", "\\\u{e9}"] {
            serde_json::from_str::<Value>(&mended(text)).unwrap_err();
        }
    }
}
