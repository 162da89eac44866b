//! Parameters of a method, read into a type of ours. What is wrong in them is said
//! with the place where it stands, and in no words of Rust.

use serde_json::{Value, json};

use super::failure::{Code, Failure};

/// Reads parameters of one type, and says which field is wrong.
pub(super) fn typed<T: serde::de::DeserializeOwned>(
    params: Value,
    place: &str,
) -> Result<T, Failure> {
    serde_path_to_error::deserialize(params).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner().to_string();
        // A field that is missing or unknown is named by the text alone.
        let named = why.split('`').nth(1).filter(|_| why.contains(" field `"));
        let own = if path == "." { "" } else { path.as_str() };
        let leaf = named.filter(|named| own != *named && !own.ends_with(&format!(".{named}")));
        let field: Vec<&str> = [place, own, leaf.unwrap_or_default()]
            .into_iter()
            .filter(|at| !at.is_empty())
            .collect();
        invalid(&field.join("."), &plain(&why))
    })
}

/// A parameter that is wrong, and why.
pub(super) fn invalid(field: &str, why: &str) -> Failure {
    let message = if field.is_empty() {
        why.to_owned()
    } else {
        format!("`{field}`: {why}")
    };
    Failure::new(Code::InvalidParams, message).data(json!({ "field": field }))
}

/// Serde's words without Rust's type names.
fn plain(why: &str) -> String {
    let mut plain = why
        .replace("expected f64", "expected a number")
        .replace("expected u32", "expected a whole number")
        .replace("expected a sequence", "expected a list")
        .replace("expected a boolean", "expected true or false")
        .replace("invalid type: ", "found ")
        .replace("invalid value: ", "found ");
    if let Some(at) = plain.find("expected struct ") {
        plain.truncate(at);
        plain.push_str("expected an object");
    }
    plain
}
