//! What a person types, as an FTS5 query.

/// Each word is looked for as it is; all must occur. `"two words"` stand
/// together, `begin*` is the beginning of a word, `-word` must not occur.
/// Everything else is quoted: the input cannot use FTS5's own syntax, so that
/// none of it is a syntax error.
pub(super) fn query(input: &str) -> Option<String> {
    let mut wanted = Vec::new();
    let mut unwanted = Vec::new();
    for (at, piece) in input.split('"').enumerate() {
        if at % 2 == 1 {
            wanted.extend(phrase(piece));
            continue;
        }
        for word in piece.split_whitespace() {
            if let Some(word) = word.strip_prefix('-') {
                unwanted.extend(phrase(word));
            } else if let Some(word) = word.strip_suffix('*') {
                wanted.extend(phrase(word).map(|word| format!("{word} *")));
            } else {
                wanted.extend(phrase(word));
            }
        }
    }
    if wanted.is_empty() {
        return None;
    }
    let mut query = format!("({})", wanted.join(" AND "));
    for word in unwanted {
        query = format!("({query} NOT {word})");
    }
    Some(query)
}

/// A string of FTS5, where there is a word in it.
fn phrase(text: &str) -> Option<String> {
    text.chars()
        .any(char::is_alphanumeric)
        .then(|| format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn words_phrases_beginnings_and_exclusions() {
        assert_eq!(
            query("fix the bug").unwrap(),
            r#"("fix" AND "the" AND "bug")"#
        );
        assert_eq!(
            query(r#""exit code" migr* -test"#).unwrap(),
            r#"(("exit code" AND "migr" *) NOT "test")"#
        );
        assert_eq!(
            query("src/main.rs OR AND(").unwrap(),
            r#"("src/main.rs" AND "OR" AND "AND(")"#
        );
        assert_eq!(query(" - \" * "), None);
        assert_eq!(query("-only"), None);
    }
}
