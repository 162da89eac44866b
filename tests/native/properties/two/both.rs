//! One history told as OpenCode 1 and as OpenCode 2 tell it: what was said, done
//! and paid is the same. Ids, times and places are each engine's own.

use proptest::prelude::*;

use super::history::of_one;
use super::telling::attentive;
use crate::properties::delivery::Delivery;
use crate::properties::history::{Deed, Release, history};
use crate::properties::world::World;
use crate::support::{Db, difference};

/// The order of sessions and messages, whoever told them.
const ORDER: &str = "\
CREATE TEMP VIEW ordered_sessions AS
SELECT *, row_number() OVER (ORDER BY created_at) AS place FROM sessions;
CREATE TEMP VIEW ordered AS
SELECT messages.*, ordered_sessions.place AS session, row_number() OVER (
  PARTITION BY session_id ORDER BY messages.position, messages.created_at, messages.id) AS place
FROM messages JOIN ordered_sessions ON ordered_sessions.id = session_id;
CREATE TEMP VIEW ordered_parts AS
SELECT *, row_number() OVER (PARTITION BY message_id, type ORDER BY position, id) AS place
FROM parts;
CREATE TEMP VIEW ordered_calls AS
SELECT *, row_number() OVER (PARTITION BY message_id ORDER BY position, id) AS place
FROM tool_calls;";

/// What is the same. A part is a step only in OpenCode 1, and a person's
/// message names a model only there.
const SAME: [&str; 5] = [
    "SELECT one.place, parent.place, one.model, one.status, one.deleted_at IS NOT NULL FROM ordered_sessions AS one LEFT JOIN ordered_sessions AS parent ON parent.id = one.parent_id ORDER BY 1",
    "SELECT session, place, role, iif(role = 'user', NULL, model), text_content, prompt_tokens, cost, finish_reason, deleted_at IS NOT NULL FROM ordered ORDER BY 1, 2",
    "SELECT session, ordered.place, parts.type, parts.place, text FROM ordered_parts AS parts JOIN ordered ON ordered.id = message_id WHERE parts.type <> 'step-finish' ORDER BY 1, 2, 3, 4",
    "SELECT session, ordered.place, calls.place, status, output, error, calls.deleted_at IS NOT NULL FROM ordered_calls AS calls JOIN ordered ON ordered.id = message_id ORDER BY 1, 2, 3",
    "SELECT session, place, usage.model, sum(usage.prompt_tokens), sum(usage.cost), inherited FROM usage JOIN ordered ON ordered.id = message_id GROUP BY 1, 2, 3, 6 HAVING sum(usage.prompt_tokens) OR sum(usage.cost) ORDER BY 1, 2",
];

#[test]
fn a_history_told_in_both_dialects_has_the_same_rows() {
    super::play(history(), |history| {
        // OpenCode 2 removes no part of a message.
        let is_common = |deed: &Deed| !matches!(deed, Deed::RemovePart { .. });
        let all = history.deeds.into_iter().filter(is_common);
        // What an open answer has cost so far only OpenCode 1 tells.
        let complete = || (0..64).map(|session| Deed::Complete { session });
        let mut deeds = Vec::new();
        for deed in all {
            if matches!(deed, Deed::Delete { .. }) {
                deeds.extend(complete());
            }
            deeds.push(deed);
        }
        deeds.extend(complete());
        let mut world = World::new(Release::Numbered);
        deeds.iter().for_each(|deed| world.live(deed));
        world.finish();
        let one = Db::new();
        Delivery::plain().tell(&one, &world.events);
        let (_, two) = attentive(&of_one(&deeds));
        for db in [&one, &two] {
            prop_assert!(db.0.execute_batch(ORDER).is_ok());
        }
        for sql in SAME {
            let (expected, found) = (one.rows(sql), two.rows(sql));
            let lines = difference(&expected.join("\n"), &found.join("\n"));
            prop_assert!(expected == found, "{}\n{}", sql, lines);
        }
        Ok(())
    });
}
