//! What catch-up asks, and what may come of it.

use serde::Serialize;

/// A request. Those named `stored…` are for the store: `store::STORED_SESSIONS`
/// and `store::STORED_MESSAGES` take them as their parameters. The others are
/// for the host of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    /// The sessions of a directory, a list.
    Sessions {
        /// The directory.
        directory: String,
    },
    /// The id of the store that answers, a text.
    Store {
        /// The directory.
        directory: String,
    },
    /// What is stored of these sessions and of the directory, a list of [`StoredSession`](super::StoredSession)s.
    StoredSessions {
        /// The directory; none where only the sessions are asked for.
        directory: Option<String>,
        /// A page of the sessions that the host lists.
        ids: Vec<String>,
        /// The sessions of the pages before, which are left out of the directory's.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        but_for: Vec<String>,
        /// The store that lists them.
        store_id: Option<String>,
    },
    /// What is stored of a session's messages, a list of [`StoredMessage`](super::StoredMessage)s.
    /// To be read before the session is asked for: what was stored by then, the
    /// host had by then.
    StoredMessages {
        /// The session.
        session_id: String,
        /// The store that is going to answer.
        store_id: Option<String>,
    },
    /// A session.
    Session {
        /// The directory.
        directory: String,
        /// The session.
        session_id: String,
    },
    /// A session's to-do list.
    Todos {
        /// The directory.
        directory: String,
        /// The session.
        session_id: String,
    },
    /// A session's messages with their parts, `{ items, next, incomplete }`: a
    /// page, and the name of the next one, which the last one does not have. It
    /// is `incomplete` where the host knows that it could not tell all of it.
    Messages {
        /// The directory.
        directory: String,
        /// The session.
        session_id: String,
        /// The page, by the name that the one before it gave.
        page: Option<String>,
    },
    /// A message with its parts.
    Message {
        /// The directory.
        directory: String,
        /// The session.
        session_id: String,
        /// The message.
        message_id: String,
    },
}

impl Request {
    /// The request's TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
/** What catch-up asks. `stored…` is for the sink, the others for the host of the directory. */
export type Request =
  | { kind: \"sessions\"; directory: string }
  | { kind: \"store\"; directory: string }
  | { kind: \"storedSessions\"; directory: string | null; ids: readonly string[]; butFor?: readonly string[]; storeId: string | null }
  | { kind: \"storedMessages\"; sessionId: string; storeId: string | null }
  | { kind: \"session\"; directory: string; sessionId: string }
  | { kind: \"todos\"; directory: string; sessionId: string }
  | { kind: \"messages\"; directory: string; sessionId: string; page: string | null }
  | { kind: \"message\"; directory: string; sessionId: string; messageId: string };
/** A request for what is stored. */
export type StoredRequest = Extract<Request, { kind: \"storedSessions\" | \"storedMessages\" }>;
/** What came of a request: a value, the beginning of a list whose rest follows, the word that there is none, a failure, or that the host cannot be asked that. */
export type Outcome = \"found\" | \"beginning\" | \"none\" | \"failed\" | \"notOffered\";
";
}

/// What came of a request.
#[derive(Debug)]
pub enum Answer<'a, N> {
    /// What was asked for.
    Found(&'a N),
    /// The beginning of a list of sessions: the rest follows in further answers, of
    /// which the last one is [`Found`](Self::Found).
    Beginning(&'a N),
    /// There is none: the one who was asked says so.
    None,
    /// No answer, or none that can be used: nothing is known.
    Failed,
    /// The host cannot be asked that.
    NotOffered,
}

// Not derived: a reference is copied whatever it refers to.
impl<N> Clone for Answer<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Answer<'_, N> {}
