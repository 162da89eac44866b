//! A sample of what was refused: its shape, which a person may show to others.

use super::known_keys::is_known;
use super::node::{Kind, Node};

/// How deep a sample goes.
const DEPTH: usize = 5;
/// How many values a sample names in all.
const VALUES: usize = 120;
/// What stands for the fields whose names no known release sends.
const OTHERS: &str = "(others)";

/// An event's keys and types as JSON, never its content: `{"type":"string",…}`. Of the
/// fields whose names no known release sends only the types, as a list under
/// `(others)`: such a name may be content, as in a tool's input. Of a list it is the
/// first item. What goes deeper, or beyond some hundred values, is a type.
pub(super) fn sample_of<N: Node>(event: &N) -> String {
    let mut left = VALUES;
    sample(event, DEPTH, &mut left)
}

fn sample<N: Node>(node: &N, depth: usize, left: &mut usize) -> String {
    *left = left.saturating_sub(1);
    match node.kind() {
        Kind::Object if depth > 0 => object(node, depth, left),
        Kind::Array if depth > 0 => {
            let first = node
                .items()
                .first()
                .map(|item| sample(item, depth - 1, left));
            format!("[{}]", first.unwrap_or_default())
        }
        kind => format!("\"{}\"", kind.name()),
    }
}

fn object<N: Node>(node: &N, depth: usize, left: &mut usize) -> String {
    let mut fields = Vec::new();
    let mut others = Vec::new();
    for key in node.keys() {
        let Some(value) = node.get_named(&key) else {
            continue;
        };
        if *left == 0 || !is_known(&key) {
            others.push(value.kind().name());
        } else {
            fields.push(format!("\"{key}\":{}", sample(&value, depth - 1, left)));
        }
    }
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        fields.push(format!("\"{OTHERS}\":[\"{}\"]", others.join("\",\"")));
    }
    format!("{{{}}}", fields.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(event: &Value) -> Value {
        serde_json::from_str(&sample_of(&event)).unwrap()
    }

    #[test]
    fn names_that_no_release_sends_are_told_by_the_types_below_them() {
        let event = json!({ "type": "x", "properties": { "part": { "state": {
            "input": { "my password": "x", "API_KEY": 1, "filePath": "/x", "other": 2 } } } } });
        let expected = json!({ "type": "string", "properties": { "part": { "state": {
            "input": { "filePath": "string", "(others)": ["number", "string"] } } } } });
        assert_eq!(read(&event), expected);
    }

    #[test]
    fn it_is_short_whatever_the_event_holds() {
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!({ "part": deep, "list": [deep] });
            if deep.to_string().len() > 1_000_000 {
                break;
            }
        }
        let many: Vec<Value> = (0..1000).map(|_| json!({ "id": 1 })).collect();
        let keys: serde_json::Map<String, Value> = (0..5000)
            .map(|at| (format!("key{at}"), json!(at)))
            .collect();
        for event in [deep, json!(many), json!(keys), json!({ "info": keys })] {
            let sample = sample_of(&&event);
            assert!(sample.len() < 4096, "{}", sample.len());
            assert!(serde_json::from_str::<Value>(&sample).is_ok(), "{sample}");
        }
    }
}
