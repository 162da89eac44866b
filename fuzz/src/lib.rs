//! What the fuzz targets try (`fuzz_targets/`, a file of a few lines each). The input
//! of most is JSON documents one after another, so that what is found can be read, and
//! told again in a test.

#![cfg(feature = "fuzzing")]

pub mod decode;
pub mod frames;
pub mod import;
pub mod mutation;
pub mod sequences;

#[path = "../../tests/native/moment.rs"]
mod moment;
#[path = "../../cli/tests/cli/support/rows.rs"]
mod rows;
#[expect(dead_code, reason = "the native tests use the rest of it")]
#[path = "../../tests/native/support.rs"]
mod support;
#[path = "../../tests/native/words.rs"]
mod words;

use serde_json::{Deserializer, Value};

/// How many documents of an input are read: more make it slow and tell nothing new.
const MOST_DOCUMENTS: usize = 64;

/// The JSON documents that an input begins with.
fn documents(input: &[u8]) -> Vec<Value> {
    let documents = Deserializer::from_slice(input).into_iter::<Value>();
    documents
        .map_while(Result::ok)
        .take(MOST_DOCUMENTS)
        .collect()
}
