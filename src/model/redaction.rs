//! What `opencode export --sanitize` leaves of words that it takes out.
//!
//! Seen of OpenCode 1.18.34 and 2.0.15: a text becomes `[redacted:KIND:ID]`, all of
//! it (`[redacted:text:prt_…]`, `[redacted:session-title:ses_…]`), of several texts
//! one a line; an object `{"redacted":"KIND:ID"}`. A person may write the same letters within words of
//! their own, so that only a text that is nothing else is taken for one.

use crate::model::known::Known;

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

/// Whether what is known is such a text.
pub(crate) fn is_taken_out(text: &Known<String>) -> bool {
    text.value().is_some_and(|text| is_redacted(text))
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

    const REDACTED: [&str; 4] = [
        "[redacted:text:prt_20d4b084f001xhHZCrw14I9jVc]",
        "/[redacted:session-directory:ses_de139f29affe6cZSxQ0o7RcaIm]",
        "[redacted:message-diff-file:0]",
        "[redacted:text:prt_1]\n[redacted:text:prt_2]",
    ];
    const OTHERS: [&str; 11] = [
        "",
        "[redacted:",
        "[redacted]",
        "[redacted:text]",
        "[redacted:Text:prt_1]",
        "[redacted: by hand: me]",
        "what does [redacted:text:prt_1] mean?",
        "[redacted:text:prt_1] is what it says",
        "[redacted:text:prt_1]\tand\t[redacted:text:prt_2]",
        "[redacted:text:prt_1]\u{662f}\u{4ec0}\u{4e48}[?]",
        "//redacted:text:prt_1]",
    ];

    #[test]
    fn only_a_text_that_is_nothing_else_is_redacted() {
        for text in REDACTED {
            assert!(is_redacted(text), "{text}");
        }
        for text in OTHERS {
            assert!(!is_redacted(text), "{text}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod sql {
        use proptest::prelude::*;
        use rusqlite::Connection;

        use super::*;

        fn says(db: &Connection, condition: &str, value: &str) -> bool {
            let sql = format!("SELECT {condition}");
            db.query_row(&sql, [value], |row| row.get(0)).unwrap()
        }

        #[test]
        fn sql_says_the_same_of_a_text() {
            let db = Connection::open_in_memory().unwrap();
            for text in REDACTED.into_iter().chain(OTHERS) {
                assert_eq!(says(&db, &of_text("?1"), text), is_redacted(text), "{text}");
            }
            let pieces = prop::sample::select(vec![
                "[redacted:",
                "/",
                "text",
                "T",
                ":",
                "]",
                "[",
                "prt_1",
                "-",
                "\n",
                " ",
                "\u{e9}",
                "^",
                "*",
            ]);
            let texts = prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat());
            proptest!(|(text in texts)| {
                prop_assert_eq!(says(&db, &of_text("?1"), &text), is_redacted(&text), "{}", text);
            });
        }

        #[test]
        fn an_object_is_redacted_where_nothing_else_is_in_it() {
            let db = Connection::open_in_memory().unwrap();
            let redacted = r#"{"redacted":"tool-input:prt_1"}"#;
            assert!(says(&db, &of_object("?1"), redacted));
            assert!(says(&db, &in_json("?1"), redacted));
            let within = r#"{"a":{"redacted":"tool-input:prt_1"}}"#;
            assert!(!says(&db, &of_object("?1"), within));
            assert!(says(&db, &in_json("?1"), within));
            assert!(says(&db, &in_json("?1"), r#"["[redacted:text:prt_1]"]"#));
            for other in [r"{}", r#"{"redacted":true}"#, r#"{"redacted":"by me"}"#] {
                assert!(!says(&db, &of_object("?1"), other), "{other}");
                assert!(!says(&db, &in_json("?1"), other), "{other}");
            }
        }
    }
}
