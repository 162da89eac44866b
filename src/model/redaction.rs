//! What `opencode export --sanitize` leaves of words that it takes out.
//!
//! Seen of OpenCode 1.18.34 and 2.0.15: a text becomes `[redacted:KIND:ID]`, all of
//! it (`[redacted:text:prt_…]`, `[redacted:session-title:ses_…]`), an object
//! `{"redacted":"KIND:ID"}`. A person may write the same letters within words of
//! their own, so that only a text that is nothing else is taken for one.

/// How such a text begins.
const START: &str = "[redacted:";

/// Whether nothing is left of this text. A folder's begins with a slash in OpenCode 2.
pub(crate) fn is_redacted(text: &str) -> bool {
    let text = text.trim_start_matches('/');
    let Some(rest) = text.strip_prefix(START) else {
        return false;
    };
    rest.ends_with(']')
        && rest.starts_with(|first: char| first.is_ascii_lowercase())
        && rest.contains(':')
        && !rest.contains(' ')
}

/// The same as SQL, of the value of the SQL expression `text`.
pub(crate) fn of_text(text: &str) -> String {
    format!("(ltrim({text}, '/') GLOB '[[]redacted:[a-z]*:*]' AND instr({text}, ' ') = 0)")
}

/// True, as SQL, where something is taken out of the JSON that the SQL expression
/// `json` gives: a text in it, or an object.
pub(crate) fn in_json(json: &str) -> String {
    format!(
        "({json} GLOB '*\"[[]redacted:[a-z]*:*]\"*' OR {json} GLOB '*{{\"redacted\":\"[a-z]*:*\"}}*')"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_that_is_nothing_else_is_redacted() {
        for text in [
            "[redacted:text:prt_20d4b084f001xhHZCrw14I9jVc]",
            "/[redacted:session-directory:ses_de139f29affe6cZSxQ0o7RcaIm]",
            "[redacted:message-diff-file:0]",
        ] {
            assert!(is_redacted(text), "{text}");
        }
        for text in [
            "",
            "[redacted:",
            "[redacted]",
            "[redacted:text]",
            "[redacted: by hand: me]",
            "what does [redacted:text:prt_1] mean?",
            "[redacted:text:prt_1] is what it says",
        ] {
            assert!(!is_redacted(text), "{text}");
        }
    }
}
