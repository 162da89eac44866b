//! Reading JavaScript's objects where they lie.

use std::cell::RefCell;

use hashbrown::HashMap;
use js_sys::JsString;
use wasm_bindgen::prelude::*;

use crate::read::node::{Kind, Node};

#[wasm_bindgen(module = "/src/wasm/reader.js")]
extern "C" {
    fn field(object: &JsValue, key: &JsValue) -> JsValue;
    fn kind(value: &JsValue) -> u8;
    #[wasm_bindgen(js_name = kindAt)]
    fn kind_at(object: &JsValue, key: &JsValue) -> u8;
    #[wasm_bindgen(js_name = textAt)]
    fn text_at(object: &JsValue, key: &JsValue) -> Option<String>;
    #[wasm_bindgen(js_name = lengthAt)]
    fn length_at(object: &JsValue, key: &JsValue) -> f64;
    #[wasm_bindgen(js_name = numberAt)]
    fn number_at(object: &JsValue, key: &JsValue) -> f64;
    #[wasm_bindgen(js_name = isAt)]
    fn is_at(object: &JsValue, key: &JsValue, word: &JsValue) -> bool;
    fn length(value: &JsValue) -> f64;
    fn keys(object: &JsValue) -> Vec<JsString>;
    #[wasm_bindgen(js_name = keyCount)]
    fn key_count(object: &JsValue) -> usize;
    fn json(value: &JsValue) -> Option<String>;
}

/// How many entries of a list are read. A list may claim any length.
const MAX_ITEMS: f64 = 1_000_000.0;

/// A JavaScript value. What throws when it is read is absent.
#[derive(Debug, Clone)]
pub(super) struct JsNode(pub(super) JsValue);

thread_local! {
    /// Field names and words as JavaScript strings, made once each.
    static STRINGS: RefCell<HashMap<&'static str, JsValue>> = RefCell::default();
}

/// Does something with `text` as a JavaScript string.
fn with_js<R>(text: &'static str, work: impl FnOnce(&JsValue) -> R) -> R {
    STRINGS.with_borrow_mut(|strings| work(strings.entry(text).or_insert_with(|| text.into())))
}

impl JsNode {
    fn field(&self, key: &JsValue) -> Option<Self> {
        let value = field(&self.0, key);
        (!value.is_undefined()).then_some(Self(value))
    }
}

/// The kind that `reader.js` numbers so.
fn kind_of(number: u8) -> Option<Kind> {
    Some(match number {
        0 => Kind::Null,
        1 => Kind::Boolean,
        2 => Kind::Number,
        3 => Kind::String,
        4 => Kind::Array,
        5 => Kind::Object,
        6 => Kind::Other,
        _ => return None,
    })
}

/// A length, which JavaScript gives as a number and -1 where there is none.
fn whole(length: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a string's length is a whole number that fits"
    )]
    (length >= 0.0).then_some(length as usize)
}

impl Node for JsNode {
    fn kind(&self) -> Kind {
        kind_of(kind(&self.0)).unwrap_or(Kind::Other)
    }

    fn kind_at(&self, key: &'static str) -> Option<Kind> {
        kind_of(with_js(key, |key| kind_at(&self.0, key)))
    }

    fn text_at(&self, key: &'static str) -> Option<String> {
        with_js(key, |key| text_at(&self.0, key))
    }

    fn text_len_at(&self, key: &'static str) -> Option<usize> {
        whole(with_js(key, |key| length_at(&self.0, key)))
    }

    fn is_at(&self, key: &'static str, word: &'static str) -> bool {
        // Both exist before they are borrowed together.
        with_js(word, |_| ());
        with_js(key, |_| ());
        STRINGS.with_borrow(|strings| match (strings.get(key), strings.get(word)) {
            (Some(key), Some(word)) => is_at(&self.0, key, word),
            _ => false,
        })
    }

    fn number_at(&self, key: &'static str) -> Option<f64> {
        Some(with_js(key, |key| number_at(&self.0, key))).filter(|number| number.is_finite())
    }

    fn get(&self, key: &'static str) -> Option<Self> {
        with_js(key, |key| self.field(key))
    }

    fn get_named(&self, key: &str) -> Option<Self> {
        self.field(&key.into())
    }

    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn is(&self, word: &'static str) -> bool {
        with_js(word, |word| self.0 == *word)
    }

    fn text_len(&self) -> Option<usize> {
        whole(length(&self.0))
    }

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn boolean(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn keys(&self) -> Vec<String> {
        keys(&self.0).into_iter().map(String::from).collect()
    }

    fn key_count(&self) -> usize {
        key_count(&self.0)
    }

    fn items(&self) -> Vec<Self> {
        let length = self.get("length").and_then(|length| length.number());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a list's length is a u32"
        )]
        let length = length.unwrap_or_default().min(MAX_ITEMS) as u32;
        (0..length)
            .map(|index| Self(field(&self.0, &index.into())))
            .collect()
    }

    fn json(&self) -> Option<String> {
        json(&self.0).map(well_formed)
    }
}

/// `JSON.stringify` escapes half of a surrogate pair, which other readers of
/// JSON refuse. It escapes nothing else as `\ud…`.
fn well_formed(text: String) -> String {
    if !text.contains("\\ud") {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((plain, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        let is_lone = escape.starts_with("\\ud");
        let (escape, after) = escape.split_at(if is_lone { 6 } else { 2 });
        clean.push_str(plain);
        clean.push_str(if is_lone { "\\ufffd" } else { escape });
        rest = after;
    }
    clean + rest
}
