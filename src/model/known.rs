//! What is known of a field: nothing, that it is empty, or its value.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of a row, as far as it is known.
///
/// On the wire an unknown field is left out and an empty one is `null`, so
/// that "OpenCode cleared it" and "this event does not say" stay apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Known<T> {
    /// Nothing is known: whatever is stored stays.
    #[default]
    Unknown,
    /// Known to have no value: stored as `NULL`, or the column's default.
    Empty,
    /// Known to have this value.
    Value(T),
}

impl<T> Known<T> {
    /// Whether nothing is known. Serde leaves such a field out.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unknown | Self::Empty => None,
        }
    }

    /// Takes over what `newer` knows; what it does not know stays.
    pub fn merge_from(&mut self, newer: Self) {
        if !newer.is_unknown() {
            *self = newer;
        }
    }

    /// The value under `change`; unknown and empty stay what they are.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Empty => Known::Empty,
            Self::Value(value) => Known::Value(change(value)),
        }
    }

    /// This if it has a value, else `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Value(_) => self,
            Self::Empty if other.is_unknown() => self,
            Self::Unknown | Self::Empty => other,
        }
    }

    /// An unknown that is known to be empty: for optional fields of an
    /// object that OpenCode always sends whole.
    #[must_use]
    pub fn or_empty(self) -> Self {
        match self {
            Self::Unknown => Self::Empty,
            known => known,
        }
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Value)
    }
}

impl From<&str> for Known<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Empty, Self::Value))
    }
}
