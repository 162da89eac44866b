//! Reading OpenCode's objects where they lie: JSON natively, JavaScript in wasm.

use serde_json::Value;

/// A JavaScript value's type, as far as JSON can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number that is finite.
    Number,
    /// A string.
    String,
    /// A list.
    Array,
    /// Any other object.
    Object,
    /// What JSON cannot hold: a function, a symbol, `NaN`, ….
    Other,
}

impl Kind {
    /// The type's name, for a rejection's text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
            Self::Other => "something JSON cannot hold",
        }
    }
}

/// A value in an event. Reading never fails: what cannot be read is absent.
///
/// Decoding asks for the fields it needs and no others, so that an event's
/// cost does not depend on what it carries besides. The methods in `_at` read
/// a field in one step: in wasm each handle on a value has a price.
pub trait Node: Clone {
    /// Its type.
    fn kind(&self) -> Kind;
    /// The field `key` of an object; `undefined` counts as absent.
    fn get(&self, key: &'static str) -> Option<Self>;
    /// Like [`get`](Self::get), for a key that only [`keys`](Self::keys) told.
    fn get_named(&self, key: &str) -> Option<Self>;
    /// The type of the field `key`, unless it is absent.
    fn kind_at(&self, key: &'static str) -> Option<Kind> {
        self.get(key).map(|value| value.kind())
    }
    /// The text of the field `key`.
    fn text_at(&self, key: &'static str) -> Option<String> {
        self.get(key).and_then(|value| value.text())
    }
    /// The length of that text in UTF-16 units, without reading it.
    fn text_len_at(&self, key: &'static str) -> Option<usize> {
        self.get(key).and_then(|value| value.text_len())
    }
    /// Whether the field `key` is this string, without reading it.
    fn is_at(&self, key: &'static str, word: &'static str) -> bool {
        self.get(key).is_some_and(|value| value.is(word))
    }
    /// The number in the field `key`.
    fn number_at(&self, key: &'static str) -> Option<f64> {
        self.get(key).and_then(|value| value.number())
    }
    /// The boolean in the field `key`.
    fn boolean_at(&self, key: &'static str) -> Option<bool> {
        self.get(key).and_then(|value| value.boolean())
    }
    /// The field `key` as JSON text.
    fn json_at(&self, key: &'static str) -> Option<String> {
        self.get(key).and_then(|value| value.json())
    }
    /// The text of a string. Lone surrogates become U+FFFD.
    fn text(&self) -> Option<String>;
    /// Whether it is this string, without reading it.
    fn is(&self, word: &'static str) -> bool;
    /// The length of a string in UTF-16 units, without reading it.
    fn text_len(&self) -> Option<usize>;
    /// The value of a number.
    fn number(&self) -> Option<f64>;
    /// The value of a boolean.
    fn boolean(&self) -> Option<bool>;
    /// The keys of an object, those of absent (`undefined`) fields among them.
    fn keys(&self) -> Vec<String>;
    /// How many keys an object has, without reading them.
    fn key_count(&self) -> usize;
    /// The entries of a list.
    fn items(&self) -> Vec<Self>;
    /// The value as JSON text.
    fn json(&self) -> Option<String>;
}

impl Node for &Value {
    fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }

    fn get(&self, key: &'static str) -> Option<Self> {
        Value::get(self, key)
    }

    fn get_named(&self, key: &str) -> Option<Self> {
        Value::get(self, key)
    }

    fn text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn is(&self, word: &'static str) -> bool {
        self.as_str() == Some(word)
    }

    fn text_len(&self) -> Option<usize> {
        self.as_str().map(|text| text.encode_utf16().count())
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn boolean(&self) -> Option<bool> {
        self.as_bool()
    }

    fn keys(&self) -> Vec<String> {
        self.as_object()
            .map(|fields| fields.keys().cloned().collect())
            .unwrap_or_default()
    }

    fn key_count(&self) -> usize {
        self.as_object().map_or(0, serde_json::Map::len)
    }

    fn items(&self) -> Vec<Self> {
        self.as_array()
            .map(|items| items.iter().collect())
            .unwrap_or_default()
    }

    fn json(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}
