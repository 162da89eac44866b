//! A statement, and when it has anything to do.

use serde::Serialize;
use serde_json::Value;

/// A statement of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The SQL, of one parameter.
    pub sql: String,
    /// Where this does not hold, it would change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
}

impl Statement {
    /// Whether it has to be run for a command with these parameters.
    pub fn applies(&self, params: &Value) -> bool {
        self.when.is_none_or(|when| when.holds(params))
    }

    /// The statement's TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
/** What the parameters must be like for a statement to have anything to do. */
export type When =
  /** One of these is present, be it as `null`. */
  | { present: string[] }
  /** The first is present, and is not the second. */
  | { isNot: [string, string] };
/** A statement of a command. Where `when` does not hold, it would change nothing. */
export interface Statement {
  sql: string;
  when?: When;
}
";
}

/// What the parameters of a command must be like for a statement to have
/// anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// One of these is present, be it as `null`.
    Present(&'static [&'static str]),
    /// The first is present, and is not the second.
    IsNot(&'static str, &'static str),
}

impl When {
    pub(super) fn holds(self, params: &Value) -> bool {
        match self {
            Self::Present(names) => names.iter().any(|name| params.get(name).is_some()),
            Self::IsNot(name, word) => params.get(name).is_some_and(|value| value != word),
        }
    }
}

/// SQL that becomes a statement.
pub(super) trait Sql {
    /// One that is always run.
    fn always(self) -> Statement;
    /// One that is run where `when` holds.
    fn when(self, when: When) -> Statement;
}

impl Sql for String {
    fn always(self) -> Statement {
        Statement {
            sql: self,
            when: None,
        }
    }

    fn when(self, when: When) -> Statement {
        Statement {
            sql: self,
            when: Some(when),
        }
    }
}
