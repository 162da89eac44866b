//! The paths that the code of one file names: `use` statements as trees, and
//! paths that begin with `crate`, `self` or `super` anywhere.

/// A path, and the name it has in the file where it is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// As it is written: `super`, `store`, `Row`.
    pub(super) path: Vec<String>,
    /// The name that a `use` gives it: its last word, or what follows `as`.
    pub(super) name: Option<String>,
}

/// All paths that a file names, outside its comments and its own tests.
pub(super) fn named_in(text: &str) -> Vec<Named> {
    let code = code_of(text);
    let mut found = Vec::new();
    let mut rest = code.as_str();
    let mut before = '\n';
    while let Some(letter) = rest.chars().next() {
        let is_start = !is_of_word(before) && is_of_word(letter);
        let used = is_start.then(|| rest.strip_prefix("use ")).flatten();
        let is_path = ["crate::", "self::", "super::"]
            .iter()
            .any(|start| rest.starts_with(start));
        if let Some(tree) = used {
            let mut reader = Reader { rest: tree };
            reader.tree(&[], &mut found);
            rest = reader.rest;
            before = ';';
        } else if is_start && is_path {
            let mut reader = Reader { rest };
            let mut paths = Vec::new();
            reader.tree(&[], &mut paths);
            found.extend(paths.into_iter().map(|named| Named {
                name: None,
                ..named
            }));
            rest = reader.rest;
            before = ';';
        } else {
            rest = &rest[letter.len_utf8()..];
            before = letter;
        }
    }
    found
}

/// A file without whole lines of comment and without the tests at its end.
fn code_of(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {");
    let own = &text[..tests.unwrap_or(text.len())];
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    own.lines()
        .filter(is_code)
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    /// Reads a path, or several that begin alike: `a::{b, c::D as E}`.
    fn tree(&mut self, before: &[String], found: &mut Vec<Named>) {
        let mut path = before.to_vec();
        loop {
            if self.takes("{") {
                while !self.takes("}") {
                    let left = self.rest.len();
                    self.tree(&path, found);
                    self.takes(",");
                    assert!(self.rest.len() < left, "no list: {}", self.rest);
                }
                return;
            }
            let word = self.word();
            if word.is_empty() {
                break;
            }
            path.push(word);
            if !self.rest.starts_with("::") {
                break;
            }
            self.takes("::");
        }
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let alias = self.takes("as ").then(|| self.word());
        let name = alias.or_else(|| path.last().cloned());
        self.takes("*");
        found.push(Named { path, name });
    }

    fn word(&mut self) -> String {
        let text = self.rest.trim_start();
        let end = text.find(|letter| !is_of_word(letter));
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        if !word.is_empty() {
            self.rest = rest;
        }
        word.to_owned()
    }

    fn takes(&mut self, mark: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}
