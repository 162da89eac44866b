//! What `opencode export --sanitize` leaves of words that it takes out.
//!
//! Seen of OpenCode 1.18.34 and 2.0.15: a text becomes `[redacted:KIND:ID]`, all of
//! it (`[redacted:text:prt_…]`, `[redacted:session-title:ses_…]`), of several texts
//! one a line; an object `{"redacted":"KIND:ID"}`. A person may write the same letters within words of
//! their own, so that only a text that is nothing else is taken for one.

/// How such a text begins.
const START: &str = "[redacted:";

/// Whether nothing is left of this text. A folder's begins with a slash in OpenCode 2.
pub(crate) fn is_redacted(text: &str) -> bool {
    let text = text.trim_start_matches('/');
    let Some(rest) = text.strip_prefix(START) else {
        return false;
    };
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_-:[]\n".contains(letter);
    rest.strip_suffix(']').is_some_and(|inner| {
        inner.starts_with(|first: char| first.is_ascii_lowercase())
            && inner.contains(':')
            && inner.chars().all(is_part)
    })
}

/// The same as SQL, of the value of the SQL expression `text`.
pub(crate) fn of_text(text: &str) -> String {
    format!(
        "(ltrim({text}, '/') GLOB '[[]redacted:[a-z]*:*]' AND ltrim({text}, '/') NOT GLOB '*[^][A-Za-z0-9_:\n-]*')"
    )
}

/// True, as SQL, where the JSON that the SQL expression `json` gives is an object of
/// which nothing is left.
pub(crate) fn of_object(json: &str) -> String {
    format!(
        "({json} GLOB '{{\"redacted\":\"[a-z]*:*\"}}' AND substr({json}, 2) NOT GLOB '*[^A-Za-z0-9_:\"}}-]*')"
    )
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
            "[redacted:text:prt_1]\u{662f}\u{4ec0}\u{4e48}[?]",
        ] {
            assert!(!is_redacted(text), "{text}");
        }
    }
}
