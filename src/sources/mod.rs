//! The agents' engines that clankers records, a folder each. Only here are
//! their names and the habits of their releases.

use std::borrow::Cow;

use serde::Serialize;

use crate::catch_up::Reading;
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::rejection::Rejection;
use crate::read::node::Node;

pub mod agent;
pub mod database;
pub mod opencode1;
pub mod opencode2;
mod tokens;

/// A source: an agent, and the engine whose events and answers it has. The host
/// chooses it; a fork of an agent is another value with the same engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The agent's name, as it is stored (`sessions.source`) of the sessions that it
    /// began.
    pub agent: &'static str,
    engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    OpenCode1,
    OpenCode2,
}

/// The event types a caller need not pass on, and those it must.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct EventTypes {
    /// Types that become rows.
    pub recorded: &'static [&'static str],
    /// Types that are known and ignored on purpose. Types in neither list are
    /// to be passed on as well: the core counts them as unknown.
    pub ignored: &'static [&'static str],
}

impl Dialect {
    /// OpenCode 1.0 to 1.x.
    pub const OPENCODE1: Self = Self {
        agent: agent::OPENCODE,
        engine: Engine::OpenCode1,
    };

    /// Kilo, a fork of OpenCode 1: the same events and answers, with more in them.
    pub const KILO: Self = Self {
        agent: agent::KILO,
        engine: Engine::OpenCode1,
    };

    /// OpenCode 2.
    pub const OPENCODE2: Self = Self {
        agent: agent::OPENCODE,
        engine: Engine::OpenCode2,
    };

    /// The one of this name, as a host writes it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "kilo" => Some(Self::KILO),
            "opencode1" => Some(Self::OPENCODE1),
            "opencode2" => Some(Self::OPENCODE2),
            _ => None,
        }
    }

    /// The names, as a TypeScript type.
    pub const TYPESCRIPT: &'static str = "/** Whose events and answers come. */\nexport type Dialect = \"kilo\" | \"opencode1\" | \"opencode2\";\n";

    /// The same agent's, as a copy of its data is read: either engine may have
    /// written what is in it, and its documents tell which did.
    pub(crate) const fn of_copy(self) -> Self {
        Self {
            agent: self.agent,
            engine: Engine::OpenCode2,
        }
    }

    /// The event types that it knows.
    pub const fn event_types(self) -> EventTypes {
        match self.engine {
            Engine::OpenCode1 => EventTypes {
                recorded: opencode1::types::RECORDED,
                ignored: opencode1::types::IGNORED,
            },
            Engine::OpenCode2 => EventTypes {
                recorded: opencode2::types::RECORDED,
                ignored: opencode2::types::IGNORED,
            },
        }
    }

    /// What is asked of its own database, which has these tables; none where that is
    /// not one of its engine's.
    pub fn database_queries(self, tables: &[String]) -> Option<database::Queries> {
        match self.engine {
            Engine::OpenCode1 => opencode1::database::queries(tables),
            Engine::OpenCode2 => opencode2::database::queries(tables),
        }
    }

    /// Decodes one event.
    pub fn decode<N: Node>(self, event: &N, context: &Context<'_>) -> Decoded {
        self.with_agent(match self.engine {
            Engine::OpenCode1 => opencode1::decode(event, context),
            Engine::OpenCode2 => opencode2::decode(event, context),
        })
    }

    /// How its answers are compared.
    pub(crate) const fn reading<N: Node>(self) -> Reading<N> {
        match self.engine {
            Engine::OpenCode1 => Reading {
                listed: opencode1::answers::listed,
                spoken: opencode1::answers::spoken,
            },
            Engine::OpenCode2 => Reading {
                listed: opencode2::answers::listed,
                spoken: opencode2::answers::spoken,
            },
        }
    }

    /// Reads what it answers of a session.
    pub(crate) fn session<N: Node>(self, info: &N) -> Decoded {
        self.with_agent(match self.engine {
            Engine::OpenCode1 => opencode1::answers::session(info),
            Engine::OpenCode2 => opencode2::answers::session(info),
        })
    }

    /// Reads a message of a session that it answers with: the message, then its parts.
    pub(crate) fn message<N: Node>(self, session_id: &str, message: &N) -> Vec<Decoded> {
        match self.engine {
            Engine::OpenCode1 => opencode1::answers::message(message),
            Engine::OpenCode2 => opencode2::answers::message(session_id, message),
        }
    }

    /// Reads a session's to-do list that it answers with.
    pub(crate) fn todos<N: Node>(self, session_id: &str, todos: &N) -> Decoded {
        match self.engine {
            Engine::OpenCode1 => opencode1::answers::todos(session_id, todos),
            Engine::OpenCode2 => opencode2::answers::todos(session_id, todos),
        }
    }
}

/// What became of one event.
#[derive(Debug)]
pub struct Decoded {
    /// Its type, or `(none)`.
    pub event_type: Cow<'static, str>,
    /// What it says, unless it was refused or is ignored on purpose.
    pub event: Option<Event>,
    /// What else it says, in order. Most say one thing, and a list that is empty
    /// costs nothing.
    pub more: Vec<Event>,
    /// When it happened, Unix milliseconds, where it says that itself.
    pub at: Option<Number>,
    /// What was refused of it, all of it or fields.
    pub rejections: Vec<Rejection>,
}

/// The last component of a path, on any platform; the path itself if it has none.
pub(crate) fn last_component(path: &str) -> String {
    path.rsplit(['/', '\\'])
        .find(|component| !component.is_empty())
        .unwrap_or(path)
        .to_owned()
}

/// The first of `keys` that holds an id.
pub(crate) fn find<N: Node>(node: &N, keys: &[&'static str]) -> Option<String> {
    keys.iter().find_map(|&key| text_of(node, key))
}

/// An id, where it is a string that is not empty.
pub(crate) fn text_of<N: Node>(node: &N, key: &'static str) -> Option<String> {
    node.text_at(key).filter(|id| !id.is_empty())
}

/// What decoding has to know beside the event.
pub struct Context<'c> {
    /// The present, Unix milliseconds.
    pub now: f64,
    /// How long the text is, in UTF-16 units, that is held of a part.
    pub held: &'c dyn Fn(&str) -> Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::last_component;

    #[test]
    fn a_project_is_named_by_the_last_component_of_its_path() {
        assert_eq!(last_component("/home/user/project"), "project");
        assert_eq!(last_component("/home/user/project/"), "project");
        assert_eq!(last_component(r"C:\Users\me\project"), "project");
        assert_eq!(last_component("/"), "/");
    }
}
