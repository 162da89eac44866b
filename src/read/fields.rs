//! Reads one object of an event, field by field, and notes what is not as
//! every known release sends it.

use std::cell::RefCell;

use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::rejection::{Code, Rejection};
use crate::read::node::{Kind, Node};

/// What decoding one event has refused so far.
#[derive(Debug, Default)]
pub(crate) struct Issues(RefCell<Vec<Rejection>>);

impl Issues {
    pub(crate) fn into_inner(self) -> Vec<Rejection> {
        self.0.into_inner()
    }

    pub(crate) fn add(&self, rejection: Rejection) {
        self.0.borrow_mut().push(rejection);
    }
}

/// Where an object is in its event; lives on the stack, costs nothing until told.
#[derive(Clone, Copy)]
struct Place<'p> {
    above: Option<&'p Place<'p>>,
    key: &'static str,
}

impl Place<'_> {
    fn path(&self, last: &str) -> String {
        let mut keys = vec![last];
        let mut place = Some(self);
        while let Some(here) = place {
            keys.push(here.key);
            place = here.above;
        }
        keys.retain(|key| !key.is_empty());
        keys.reverse();
        keys.join(".")
    }
}

/// Whether every known release sends a field in each such object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Its absence is a rejection.
    Always,
    /// Its absence says nothing.
    Sometimes,
}

impl Need {
    /// `Always` under a condition.
    pub(crate) const fn when(condition: bool) -> Self {
        if condition {
            Self::Always
        } else {
            Self::Sometimes
        }
    }
}

/// One object that is being read. `finish` it after the last field, once.
pub(crate) struct Fields<'p, N> {
    node: N,
    place: Place<'p>,
    asked: Vec<&'static str>,
    /// How many of those asked for are there.
    found: usize,
    issues: &'p Issues,
}

impl<'p, N: Node> Fields<'p, N> {
    /// Reads `node`, which stands at `key` of the event.
    pub(crate) fn new(node: N, key: &'static str, issues: &'p Issues) -> Self {
        let place = Place { above: None, key };
        Self {
            node,
            place,
            asked: Vec::with_capacity(16),
            found: 0,
            issues,
        }
    }

    /// The object itself.
    pub(crate) fn node(&self) -> &N {
        &self.node
    }

    /// The path of one of its fields, for a rejection.
    pub(crate) fn path(&self, key: &str) -> String {
        self.place.path(key)
    }

    /// A string that every known release sends.
    pub(crate) fn string(&mut self, key: &'static str) -> Known<String> {
        self.read(key, Need::Always, "string", N::text_at)
    }

    /// A string that some releases or objects lack.
    pub(crate) fn maybe_string(&mut self, key: &'static str) -> Known<String> {
        self.read(key, Need::Sometimes, "string", N::text_at)
    }

    /// A string that every known release sends if `need` says so.
    pub(crate) fn string_if(&mut self, key: &'static str, need: Need) -> Known<String> {
        self.read(key, need, "string", N::text_at)
    }

    /// A number that every known release sends.
    pub(crate) fn number(&mut self, key: &'static str) -> Known<Number> {
        self.read(key, Need::Always, "number", number_at)
    }

    /// A number that some releases or objects lack.
    pub(crate) fn maybe_number(&mut self, key: &'static str) -> Known<Number> {
        self.read(key, Need::Sometimes, "number", number_at)
    }

    /// A number that every known release sends if `need` says so.
    pub(crate) fn number_if(&mut self, key: &'static str, need: Need) -> Known<Number> {
        self.read(key, need, "number", number_at)
    }

    /// A boolean that some releases or objects lack.
    pub(crate) fn maybe_boolean(&mut self, key: &'static str) -> Known<bool> {
        self.read(key, Need::Sometimes, "boolean", N::boolean_at)
    }

    /// A word of a fixed set, that every known release sends.
    pub(crate) fn word<W>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<W>,
    ) -> Known<W> {
        let Some(found) = self.ask(key, Need::Always, expected) else {
            return Known::Unknown;
        };
        match self.node.text_at(key) {
            Some(text) => parse(&text).map_or_else(
                || {
                    self.refuse(Code::WrongType, key, expected, "another word");
                    Known::Unknown
                },
                Known::Value,
            ),
            None => self.wrong(key, expected, found),
        }
    }

    /// A list or an object that every known release sends, as JSON text.
    pub(crate) fn json(&mut self, key: &'static str, kind: Kind) -> Known<String> {
        match self.ask(key, Need::Always, kind.name()) {
            None => Known::Unknown,
            Some(found) if found == kind => self.node.json_at(key).into(),
            Some(found) => self.wrong(key, kind.name(), found),
        }
    }

    /// An object that every known release sends.
    pub(crate) fn object(&mut self, key: &'static str) -> Option<Fields<'_, N>> {
        self.child(key, Need::Always)
    }

    /// An object that every known release sends if `need` says so.
    pub(crate) fn object_if(&mut self, key: &'static str, need: Need) -> Option<Fields<'_, N>> {
        self.child(key, need)
    }

    /// An object that some releases or objects lack.
    pub(crate) fn maybe_object(&mut self, key: &'static str) -> Option<Fields<'_, N>> {
        self.child(key, Need::Sometimes)
    }

    /// The entries of a list that every known release sends.
    pub(crate) fn list(&mut self, key: &'static str) -> Option<Vec<N>> {
        let found = self.ask(key, Need::Always, "array")?;
        if found == Kind::Array {
            return self.node.get(key).map(|list| list.items());
        }
        self.wrong::<()>(key, "array", found);
        None
    }

    /// Fields that known releases send and nothing here needs: their type is
    /// checked all the same, so that a release that changes it is seen.
    pub(crate) fn optional(&mut self, fields: &[(&'static str, Kind)]) {
        self.check(fields, Need::Sometimes);
    }

    /// The same of fields that every known release sends.
    pub(crate) fn required(&mut self, fields: &[(&'static str, Kind)]) {
        self.check(fields, Need::Always);
    }

    fn check(&mut self, fields: &[(&'static str, Kind)], need: Need) {
        for &(key, kind) in fields {
            if let Some(found) = self.ask(key, need, kind.name())
                && found != kind
            {
                self.wrong::<()>(key, kind.name(), found);
            }
        }
    }

    /// Marks fields as known, whatever they hold.
    pub(crate) fn skip(&mut self, keys: &[&'static str]) {
        for &key in keys {
            self.ask(key, Need::Sometimes, "anything");
        }
    }

    /// Whether the object has no such field.
    pub(crate) fn lacks(&self, key: &'static str) -> bool {
        self.node.kind_at(key).is_none()
    }

    /// Notes the fields that nobody has asked for: no known release sends
    /// them. Whether there were none: else a field that is not there may only
    /// have been renamed.
    pub(crate) fn finish(&self) -> bool {
        if self.found == self.node.key_count() {
            return true;
        }
        for key in self.node.keys() {
            if !self.asked.contains(&key.as_str())
                && let Some(node) = self.node.get_named(&key)
            {
                let found = node.kind().name();
                self.refuse(Code::UnknownField, &key, "no such field", found);
            }
        }
        false
    }

    /// Notes that `key` was refused.
    pub(crate) fn refuse(
        &self,
        code: Code,
        key: &str,
        expected: &'static str,
        found: &'static str,
    ) {
        self.issues.add(Rejection {
            code,
            path: self.path(key),
            expected,
            found,
        });
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        need: Need,
        expected: &'static str,
        take: impl Fn(&N, &'static str) -> Option<T>,
    ) -> Known<T> {
        let Some(found) = self.ask(key, need, expected) else {
            return Known::Unknown;
        };
        match take(&self.node, key) {
            Some(value) => Known::Value(value),
            None if need == Need::Sometimes && found == Kind::Null => {
                // No known release sends one, but what else could it mean?
                self.wrong::<()>(key, expected, found);
                Known::Empty
            }
            None => self.wrong(key, expected, found),
        }
    }

    fn child(&mut self, key: &'static str, need: Need) -> Option<Fields<'_, N>> {
        match self.ask(key, need, "object")? {
            Kind::Object => {
                let node = self.node.get(key)?;
                let place = Place {
                    above: Some(&self.place),
                    key,
                };
                Some(Fields {
                    node,
                    place,
                    asked: Vec::with_capacity(8),
                    found: 0,
                    issues: self.issues,
                })
            }
            found => {
                self.wrong::<()>(key, "object", found);
                None
            }
        }
    }

    fn ask(&mut self, key: &'static str, need: Need, expected: &'static str) -> Option<Kind> {
        let found = self.node.kind_at(key);
        if !self.asked.contains(&key) {
            self.asked.push(key);
            self.found += usize::from(found.is_some());
        }
        if found.is_none() && need == Need::Always {
            self.refuse(Code::MissingField, key, expected, "nothing");
        }
        found
    }

    fn wrong<T>(&self, key: &str, expected: &'static str, found: Kind) -> Known<T> {
        self.refuse(Code::WrongType, key, expected, found.name());
        Known::Unknown
    }
}

fn number_at<N: Node>(node: &N, key: &'static str) -> Option<Number> {
    node.number_at(key).and_then(Number::new)
}
