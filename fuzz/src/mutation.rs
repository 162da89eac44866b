//! Changes JSON documents as JSON: bytes that are changed anywhere are hardly ever
//! JSON afterwards.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};

use crate::documents;
use crate::sequences;
use crate::words::{KEYS, WORDS};

/// Changes an input, which is JSON documents, and may grow to `most` bytes.
pub fn mutate(input: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut dice = Dice::new(seed);
    let mut documents = documents(&input[..size]);
    if documents.is_empty() || dice.below(16) == 0 {
        return fuzzer_mutate(input, size, most);
    }
    for _ in 0..=dice.below(4) {
        change(&mut documents, &mut dice);
    }
    let lines = documents.iter().map(|document| format!("{document}\n"));
    let text: String = lines.collect();
    let Some(into) = input.get_mut(..text.len()).filter(|_| text.len() <= most) else {
        return fuzzer_mutate(input, size, most);
    };
    into.copy_from_slice(text.as_bytes());
    text.len()
}

/// Makes one change somewhere.
fn change(documents: &mut Vec<Value>, dice: &mut Dice) {
    let at = dice.below(documents.len());
    let Some(one) = documents.get(at).cloned() else {
        documents.push(leaf(dice));
        return;
    };
    match dice.below(12) {
        // Twice, later or earlier, or not at all.
        0 => documents.insert(dice.below(documents.len() + 1), one),
        1 => {
            documents.remove(at);
            documents.insert(dice.below(documents.len() + 1), one);
        }
        2 => {
            documents.remove(at);
        }
        3 => {
            let moment = dice.one_of(sequences::WORDS);
            documents.insert(at, json!(moment));
        }
        _ => {
            let donor = dice.one_of(documents.as_slice()).clone();
            let graft = nth(&donor, dice.below(count(&donor))).clone();
            let place = dice.below(count(&documents[at]));
            change_value(nth_mut(&mut documents[at], place), graft, dice);
        }
    }
}

/// Changes one value; `graft` is one from somewhere else.
fn change_value(value: &mut Value, graft: Value, dice: &mut Dice) {
    match (dice.below(6), &mut *value) {
        (0, _) => *value = graft,
        (1, _) => *value = leaf(dice),
        (2, Value::Object(fields)) => {
            fields.insert((*dice.one_of(KEYS)).to_owned(), graft);
        }
        (3, Value::Object(fields)) => {
            if let Some(key) = key_of(fields, dice) {
                fields.shift_remove(&key);
            }
        }
        (_, Value::Object(fields)) => {
            if let Some(old) = key_of(fields, dice).and_then(|key| fields.shift_remove(&key)) {
                fields.insert((*dice.one_of(KEYS)).to_owned(), old);
            }
        }
        (2, Value::Array(items)) => items.push(graft),
        (_, Value::Array(items)) => {
            items.pop();
        }
        (_, Value::String(text)) => *text = changed(text),
        (_, Value::Number(number)) => {
            *value = serde_json::from_str(&changed(&number.to_string())).unwrap_or(Value::Null);
        }
        _ => *value = leaf(dice),
    }
}

/// A text that libFuzzer has changed, as it changes bytes.
fn changed(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let size = bytes.len();
    bytes.resize(size + 16, 0);
    let most = bytes.len();
    let size = fuzzer_mutate(&mut bytes, size, most);
    String::from_utf8_lossy(&bytes[..size]).into_owned()
}

fn leaf(dice: &mut Dice) -> Value {
    match dice.below(10) {
        0 => Value::Null,
        1 => json!(dice.below(2) == 0),
        2 => json!({}),
        3 => json!([]),
        4 => json!(dice.below(5)),
        5 => json!(-1),
        6 => json!(1e308),
        7 => json!(0.1),
        _ => json!(dice.one_of(WORDS)),
    }
}

fn key_of(fields: &Map<String, Value>, dice: &mut Dice) -> Option<String> {
    fields.keys().nth(dice.below(fields.len())).cloned()
}

/// How many values there are in one, itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// One of the values in a value, counted from itself on.
fn nth(value: &Value, at: usize) -> &Value {
    let mut left = at;
    let inner: Vec<&Value> = match value {
        Value::Array(items) if at > 0 => items.iter().collect(),
        Value::Object(fields) if at > 0 => fields.values().collect(),
        _ => return value,
    };
    left -= 1;
    for one in inner {
        let here = count(one);
        if left < here {
            return nth(one, left);
        }
        left -= here;
    }
    value
}

fn nth_mut(value: &mut Value, at: usize) -> &mut Value {
    if at == 0 {
        return value;
    }
    let mut left = at - 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => unreachable!("a value of {at} values holds others"),
    };
    for one in inner {
        let here = count(one);
        if left < here {
            return nth_mut(one, left);
        }
        left -= here;
    }
    unreachable!("a value has fewer than {at} values")
}

/// Numbers that a seed makes, the same each time.
struct Dice(u32);

impl Dice {
    fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    /// A number below this one, or 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 3) as usize % end.max(1)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
