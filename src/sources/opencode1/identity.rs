//! Who an event is about: ids, in every spelling that a release has used.

use super::decoder::Decoder;
use crate::model::event::PartKey;
use crate::model::rejection::{Code, Rejection};
use crate::read::fields::Fields;
use crate::read::node::Node;
use crate::sources::{find, text_of};

/// The spellings of a session's id, in the order they are tried.
pub(super) const SESSION_ID: &[&str] = &["sessionID", "sessionId", "session_id"];
/// The same in a session's own `info`, where it is `id`.
pub(super) const OWN_SESSION_ID: &[&str] = &["id", "sessionID", "sessionId", "session_id"];
/// The same in the properties of an event that has no `info`.
pub(super) const BARE_SESSION_ID: &[&str] = &["sessionID", "sessionId", "session_id", "id"];
pub(super) const MESSAGE_ID: &[&str] = &["messageID", "messageId", "message_id"];
pub(super) const OWN_MESSAGE_ID: &[&str] = &["id", "messageID", "messageId", "message_id"];
pub(super) const OWN_PART_ID: &[&str] = &["id", "partID", "partId", "part_id"];
pub(super) const PART_ID: &[&str] = &["partID", "partId", "part_id"];
pub(super) const PERMISSION_ID: &[&str] = &["id", "requestID", "permissionID"];

impl<N: Node> Decoder<'_, N> {
    pub(super) fn session_id(&self) -> Option<String> {
        let id = find(&self.properties, SESSION_ID);
        if id.is_none() {
            return self.no_identity("properties.sessionID");
        }
        id
    }

    /// The ids of a part. Where its own object `node`, at `path`, lacks one, the
    /// event's properties may hold it.
    pub(super) fn part_key(
        &self,
        part_id: Option<String>,
        node: &N,
        path: &str,
    ) -> Option<PartKey> {
        let own = if path == "properties" { "partID" } else { "id" };
        let Some(part_id) = part_id else {
            return self.no_identity(&format!("{path}.{own}"));
        };
        let of = |keys| find(node, keys).or_else(|| find(&self.properties, keys));
        let Some(message_id) = of(MESSAGE_ID) else {
            return self.no_identity(&format!("{path}.messageID"));
        };
        let Some(session_id) = of(SESSION_ID) else {
            return self.no_identity(&format!("{path}.sessionID"));
        };
        Some(PartKey {
            session_id,
            message_id,
            part_id,
        })
    }

    /// An entity's own id in its object; noted where it is spelt otherwise.
    pub(super) fn id_in(
        &self,
        node: &N,
        keys: &[&'static str],
        path: &'static str,
    ) -> Option<String> {
        if node.kind_at("id").is_none() {
            Fields::new(node.clone(), path, self.issues).refuse(
                Code::MissingField,
                "id",
                "string",
                "nothing",
            );
        }
        find(node, keys)
    }

    pub(super) fn event_id(&self) -> Option<String> {
        text_of(self.envelope, "id")
    }

    pub(super) fn no_identity<T>(&self, path: &str) -> Option<T> {
        self.issues.add(Rejection {
            code: Code::MissingIdentity,
            path: path.to_owned(),
            expected: "string",
            found: "nothing",
        });
        None
    }
}
