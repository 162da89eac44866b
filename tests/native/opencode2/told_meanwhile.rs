//! A plugin that comes in the middle, and hears events while what it asked for is
//! on its way: in the end it has what OpenCode answers.

use std::collections::BTreeMap;

use clankers::catch_up::Request;
use clankers::store::STORED_MESSAGES;
use clankers::{Core, Urgency};
use serde_json::{Value, json};

use super::answers::{
    DIRECTORY, answer_of, answered, give, is_told_whole, rows, sessions, unanswered, was_ended,
};
use super::{Recording, core, recordings};
use crate::support::{Db, Recorded, assert_same};

/// More requests than any session of the recordings needs.
const MOST_REQUESTS: usize = 3000;

/// The plugin, and the OpenCode that it hears and asks.
pub(super) struct Plugin<'a> {
    sessions: BTreeMap<&'a str, &'a Value>,
    pub(super) core: Core,
    pub(super) db: Db,
    requests: usize,
}

impl<'a> Plugin<'a> {
    pub(super) fn new(truth: &'a Value) -> Self {
        Self {
            sessions: sessions(truth),
            core: core(),
            db: Db::new(),
            requests: 0,
        }
    }

    fn tell(&mut self, event: &Value, at: f64) {
        let urgency = self.core.observe(&event, at);
        if urgency >= Urgency::Soon {
            self.core.fetch_wanted(DIRECTORY);
        }
        if urgency == Urgency::Now {
            self.drain();
        }
    }

    pub(super) fn hears(&mut self, told: &Recorded) {
        self.tell(&told.event, told.at);
    }

    pub(super) fn drain(&mut self) {
        self.db.apply(self.core.drain());
        self.core.settle(true);
    }

    /// Asks for all sessions.
    pub(super) fn fetches(&mut self) {
        let ids = self.sessions.keys().map(|&id| id.to_owned()).collect();
        self.core.fetch(DIRECTORY, ids);
    }

    /// Asks until there is nothing to ask; of each request it hears something
    /// before the answer comes.
    pub(super) fn asks(&mut self, now: f64, mut heard: impl FnMut(&mut Self, &Request)) {
        while let Some(request) = self.core.next_request(now) {
            self.requests += 1;
            assert!(self.requests < MOST_REQUESTS, "it asks without end");
            let before = self.sessions.clone();
            heard(self, &request);
            let answer = if matches!(request, Request::StoredMessages { .. }) {
                self.drain();
                let params = serde_json::to_value(&request).unwrap();
                Some(self.db.read(STORED_MESSAGES, &params))
            } else {
                answer_of(&before, &request)
            };
            give(&mut self.core, &request, answer, now);
            self.drain();
        }
    }
}

/// Where a kind of request stands in the order in which they are made.
fn kind(request: &Request) -> usize {
    match request {
        Request::StoredMessages { .. } => 0,
        Request::Session { .. } => 1,
        Request::Todos { .. } => 2,
        Request::Messages { .. } => 3,
        _ => 4,
    }
}

/// How events reach the plugin.
#[derive(Debug)]
struct How {
    /// The first one that it hears.
    start: usize,
    /// The first one that it hears while something is asked for.
    join: usize,
    /// Before the answers to which kind of request; beyond them, to any.
    at_kind: usize,
    /// So many at once.
    size: usize,
}

/// The rows that are left when events are told like this.
fn told(one: &Recording, how: &How) -> String {
    let mut plugin = Plugin::new(&one.truth);
    for told in &one.events[how.start..how.join] {
        plugin.hears(told);
    }
    let mut rest = one.events[how.join..].iter();
    let now = rest.as_slice().first().map_or(0.0, |told| told.at);
    plugin.fetches();
    loop {
        plugin.asks(now, |plugin, request| {
            if how.at_kind > 4 || kind(request) == how.at_kind {
                for told in rest.by_ref().take(how.size) {
                    plugin.hears(told);
                }
            }
        });
        let Some(told) = rest.next() else { break };
        plugin.hears(told);
    }
    plugin.drain();
    rows(&plugin.db, unanswered(one))
}

/// Whatever of a recording is heard, and when.
#[test]
fn it_has_all_that_is_answered_in_the_end() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = move |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 11).unwrap() % limit
    };
    for one in recordings().filter(|one| is_told_whole(one) && !was_ended(one)) {
        let expected = rows(&answered(&one.truth), unanswered(&one));
        for _ in 0..8 {
            let length = one.events.len();
            // What was taken back is in no answer.
            let start = if unanswered(&one) == "usage" {
                0
            } else {
                below(length)
            };
            let how = How {
                start,
                join: start + below((length - start).min(40)),
                at_kind: below(7),
                size: [1, 2, 5, 20, length][below(5)],
            };
            let found = told(&one, &how);
            assert_same(&format!("{}, {how:?}", one.name), &expected, &found);
        }
    }
}

#[track_caller]
fn assert_told(name: &str, how: &How) {
    let one = recordings().find(|one| one.name.ends_with(name)).unwrap();
    let expected = rows(&answered(&one.truth), unanswered(&one));
    assert_same(name, &expected, &told(&one, how));
}

/// Events `start` to `join` are heard before anything is asked for, the rest `size`
/// at a time before the answer to the request for the to-do list.
const fn before_todos(start: usize, join: usize, size: usize) -> How {
    How {
        start,
        join,
        at_kind: 2,
        size,
    }
}

#[test]
fn a_session_that_is_moved_keeps_its_title() {
    assert_told("/moved", &before_todos(12, 18, 1));
}

#[test]
fn a_text_that_begins_keeps_its_place() {
    assert_told("/two-sessions", &before_todos(20, 27, 2));
}

/// The first call of a process begins before its session is met; should the process
/// be killed in the middle of it, no answer tells the place of what is cut off.
#[test]
fn what_a_call_begins_with_has_its_place_though_its_session_is_new() {
    let one = recordings()
        .find(|one| one.name.ends_with("killed-in-stream"))
        .unwrap();
    let is_step = |told: &Recorded| told.event["type"] == "session.step.started";
    let step = one.events.iter().position(is_step).unwrap();
    let mut plugin = Plugin::new(&one.truth);
    for told in &one.events[step..] {
        plugin.hears(told);
    }
    plugin.drain();
    let texts = "SELECT position FROM parts WHERE type = 'text' AND message_id IN
        (SELECT id FROM messages WHERE role = 'assistant')";
    let places = plugin.db.rows(texts);
    assert!(!places.is_empty());
    assert!(!places.contains(&"NULL".to_owned()), "{places:?}");
}

/// A recording with a compaction of its own session; its truth while that was under
/// way, when OpenCode answered with this much of the summary; and which of its
/// events was the first one after its beginning.
fn under_way(name: &str, summary: &str) -> (Recording, Value, usize) {
    let one = recordings().find(|one| one.name.ends_with(name)).unwrap();
    let mut before = one.truth.clone();
    let messages = before["sessions"][0]["messages"].as_array_mut().unwrap();
    let is_compaction = |message: &Value| message["type"] == "compaction";
    let at = messages.iter().position(is_compaction).unwrap();
    messages.truncate(at + 1);
    messages[at] = json!({
        "type": "compaction", "id": messages[at]["id"], "time": messages[at]["time"],
        "status": "running", "reason": "manual", "summary": summary, "recent": "",
    });
    let begins = |told: &Recorded| told.event["type"] == "session.compaction.started";
    let begun = one.events.iter().position(begins).unwrap() + 1;
    (one, before, begun)
}

/// A plugin that has asked when the events before `begun` were heard, and OpenCode
/// answered as `before`.
fn asked_under_way<'a>(one: &'a Recording, before: &'a Value, begun: usize) -> Plugin<'a> {
    let mut plugin = Plugin::new(before);
    for told in &one.events[..begun] {
        plugin.hears(told);
    }
    plugin.fetches();
    plugin.asks(one.events[begun].at, |_, _| {});
    plugin
}

/// The rest is heard, and OpenCode answers as it did in the end.
fn goes_on<'a>(plugin: &mut Plugin<'a>, one: &'a Recording, begun: usize) {
    plugin.sessions = sessions(&one.truth);
    for told in &one.events[begun..] {
        plugin.hears(told);
        plugin.asks(one.events[begun].at, |_, _| {});
    }
}

/// Should a release answer with what there is of a summary while it is written: none
/// keeps anything of it once it has failed.
#[test]
fn a_summary_that_was_answered_and_then_failed_is_missing() {
    let (one, before, begun) = under_way("/failed-compaction", "A summary");
    let mut plugin = asked_under_way(&one, &before, begun);
    let alive = "SELECT count(*) FROM parts WHERE text = 'A summary' AND missing_since IS NULL";
    assert_eq!(plugin.db.value(alive), "1");
    goes_on(&mut plugin, &one, begun);
    assert_eq!(plugin.db.value(alive), "0");
}

/// OpenCode 2.0.15 answers with an empty summary while it is written: nobody has said
/// that, so that a compaction is the same whether it was asked for in the middle or
/// not, and how ever it ends.
#[test]
fn a_summary_of_which_there_is_nothing_yet_is_no_text() {
    for name in [
        "/failed-compaction",
        "/interrupted-compaction",
        "/compacted",
    ] {
        let (one, before, begun) = under_way(name, "");
        let mut plugin = asked_under_way(&one, &before, begun);
        let texts = "SELECT count(*) FROM parts WHERE message_id IN
            (SELECT id FROM messages WHERE kind = 'compaction')";
        assert_eq!(plugin.db.value(texts), "0", "{name}");
        goes_on(&mut plugin, &one, begun);
        plugin.drain();
        let expected = rows(&answered(&one.truth), unanswered(&one));
        assert_same(name, &expected, &rows(&plugin.db, unanswered(&one)));
    }
}

/// What is left where the events from `begun` on are heard after OpenCode has
/// answered as `before`, and before the answer is there.
fn told_while_on_its_way(one: &Recording, before: &Value, begun: usize) -> String {
    let now = one.events[begun].at;
    let after = sessions(&one.truth);
    let mut plugin = Plugin::new(before);
    for told in &one.events[..begun] {
        plugin.hears(told);
    }
    plugin.fetches();
    let mut rest = one.events[begun..].iter();
    plugin.asks(now, |plugin, request| {
        if kind(request) == 3 {
            plugin.sessions.clone_from(&after);
            for told in rest.by_ref() {
                plugin.hears(told);
            }
        }
    });
    plugin.drain();
    rows(&plugin.db, unanswered(one))
}

/// The same where it ends after OpenCode has answered, and before the answer is there.
#[test]
fn a_summary_outlives_an_older_answer() {
    for (name, summary) in [
        ("/failed-compaction", ""),
        ("/interrupted-compaction", ""),
        ("/compacted", ""),
        // Of a release that answers with what there is of it.
        ("/compacted", "## Obj"),
    ] {
        let (one, before, begun) = under_way(name, summary);
        let found = told_while_on_its_way(&one, &before, begun);
        let expected = rows(&answered(&one.truth), unanswered(&one));
        assert_same(name, &expected, &found);
    }
}

/// So does what a person's command came to.
#[test]
fn what_a_command_came_to_outlives_an_older_answer() {
    let one = recordings()
        .find(|one| one.name.ends_with("/persons-shell"))
        .unwrap();
    let mut before = one.truth.clone();
    let messages = before["sessions"][0]["messages"].as_array_mut().unwrap();
    let is_command = |message: &Value| message["type"] == "shell";
    let at = messages.iter().position(is_command).unwrap();
    messages.truncate(at + 1);
    let command = messages[at].as_object_mut().unwrap();
    command.insert("status".to_owned(), json!("running"));
    command.remove("exit");
    command.remove("output");
    command["time"].as_object_mut().unwrap().remove("completed");
    let begins = |told: &Recorded| told.event["type"] == "session.shell.started";
    let begun = one.events.iter().position(begins).unwrap() + 1;
    let found = told_while_on_its_way(&one, &before, begun);
    let expected = rows(&answered(&one.truth), unanswered(&one));
    assert_same(&one.name, &expected, &found);
}

/// OpenCode ends an answer that a crash cut off when the next one begins: here
/// after it answered with the messages, and before the answer is there.
#[test]
fn an_answer_that_a_crash_cut_off_ends_when_the_next_begins() {
    let one = recordings()
        .find(|one| one.name.ends_with("killed-in-stream"))
        .unwrap();
    let mut before = one.truth.clone();
    let messages = before["sessions"][0]["messages"].as_array_mut().unwrap();
    messages.truncate(3);
    let left = messages[1]["id"].as_str().unwrap().to_owned();
    let times = messages[1]["time"].as_object_mut().unwrap();
    let ended = times.remove("completed").unwrap();
    let is_step = |told: &Recorded| told.event["type"] == "session.step.started";
    let next = one.events.iter().rposition(is_step).unwrap();

    // The plugin is there since OpenCode was started again.
    let mut plugin = Plugin::new(&before);
    for told in &one.events[8..next] {
        plugin.hears(told);
    }
    let now = one.events[next].at;
    plugin.fetches();
    plugin.asks(now, |plugin, request| {
        if kind(request) == 3 && plugin.sessions != sessions(&one.truth) {
            plugin.sessions = sessions(&one.truth);
            plugin.hears(&one.events[next]);
        }
    });
    for told in &one.events[next + 1..] {
        plugin.hears(told);
        plugin.asks(now, |_, _| {});
    }
    let completed = format!("SELECT completed_at FROM messages WHERE id = '{left}'");
    assert_eq!(plugin.db.value(&completed), ended.to_string());

    // The next turn ends nothing that is over.
    let id = one.truth["sessions"][0]["session"]["id"].clone();
    let later = json!({
        "id": "evt_99", "created": now + 9e4, "type": "session.step.started",
        "durable": { "aggregateID": id, "seq": 16, "version": 1 },
        "data": {
            "sessionID": id, "assistantMessageID": "msg_99", "agent": "build", "started": now + 9e4,
            "model": { "id": "scripted-large", "providerID": "scripted" },
        },
    });
    plugin.tell(&later, now + 9e4);
    plugin.drain();
    assert_eq!(plugin.db.value(&completed), ended.to_string());
}

#[test]
fn nothing_is_asked_for_without_end() {
    for one in recordings() {
        let mut plugin = Plugin::new(&one.truth);
        for told in &one.events {
            plugin.hears(told);
        }
        let now = one.events.last().unwrap().at;
        plugin.asks(now, |_, _| {});
        plugin.fetches();
        plugin.asks(now, |_, _| {});
        plugin.core.fetch_wanted(DIRECTORY);
        let asked = plugin.requests;
        plugin.asks(now, |_, _| {});
        assert_eq!(plugin.requests, asked, "{}", one.name);
    }
}

#[test]
fn an_answer_leaves_nothing_to_ask() {
    for one in recordings() {
        let mut plugin = Plugin::new(&one.truth);
        plugin.fetches();
        plugin.asks(9e12, |_, _| {});
        assert!(!plugin.core.fetch_wanted(DIRECTORY), "{}", one.name);
    }
}
