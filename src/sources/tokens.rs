//! Token counts, as sessions, messages and step-finish parts carry them.

use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{MessageRow, SessionRow};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// `{ input, output, reasoning, cache: { read, write } }`.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) input: Known<Number>,
    pub(crate) output: Known<Number>,
    pub(crate) reasoning: Known<Number>,
    pub(crate) cache_read: Known<Number>,
    pub(crate) cache_write: Known<Number>,
}

impl Tokens {
    pub(crate) fn read<N: Node>(mut fields: Fields<'_, N>) -> Self {
        let mut tokens = Self {
            input: fields.number("input"),
            output: fields.number("output"),
            reasoning: fields.number("reasoning"),
            ..Self::default()
        };
        if let Some(mut cache) = fields.object("cache") {
            tokens.cache_read = cache.number("read");
            tokens.cache_write = cache.number("write");
            cache.finish();
        }
        fields.optional(&[("total", Kind::Number)]);
        fields.finish();
        tokens
    }

    /// Notes them as what a session took.
    pub(crate) fn of_session(self, row: &mut SessionRow) {
        row.prompt_tokens = self.input;
        row.completion_tokens = self.output;
        row.reasoning_tokens = self.reasoning;
        row.cache_read_tokens = self.cache_read;
        row.cache_write_tokens = self.cache_write;
    }

    /// Notes them as what a message took.
    pub(crate) fn of_message(self, row: &mut MessageRow) {
        row.prompt_tokens = self.input;
        row.completion_tokens = self.output;
        row.reasoning_tokens = self.reasoning;
        row.cache_read_tokens = self.cache_read;
        row.cache_write_tokens = self.cache_write;
    }
}
