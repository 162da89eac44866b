//! What a stream costs: work is counted, not timed.

use std::cell::Cell;
use std::rc::Rc;

use clankers::model::command::Command;
use clankers::read::node::{Kind, Node};
use clankers::{Core, Options};
use serde_json::{Value, json};

use crate::events::{answer, delta, part, without};

const PLACE: (&str, &str, &str) = ("ses_1", "msg_1", "prt_1");

/// A value that counts what is read of it: bytes of text, and fields asked for.
#[derive(Debug, Clone)]
struct Counted<'v> {
    value: &'v Value,
    work: Rc<Cell<usize>>,
}

impl Counted<'_> {
    fn at(&self, value: Option<Self>) -> Option<Self> {
        self.add(1);
        value
    }

    fn add(&self, work: usize) {
        self.work.set(self.work.get() + work);
    }

    fn of(&self, text: Option<String>) -> Option<String> {
        self.add(text.as_deref().map_or(0, str::len));
        text
    }
}

impl<'v> Counted<'v> {
    fn inside(&self, value: &'v Value) -> Self {
        Self {
            value,
            work: Rc::clone(&self.work),
        }
    }
}

impl Node for Counted<'_> {
    fn kind(&self) -> Kind {
        self.value.kind()
    }
    fn get(&self, key: &'static str) -> Option<Self> {
        self.at(self.value.get(key).map(|value| self.inside(value)))
    }
    fn get_named(&self, key: &str) -> Option<Self> {
        self.at(self.value.get(key).map(|value| self.inside(value)))
    }
    fn text(&self) -> Option<String> {
        self.of(self.value.text())
    }
    fn is(&self, word: &'static str) -> bool {
        self.value.is(word)
    }
    fn text_len(&self) -> Option<usize> {
        // JavaScript knows it without counting.
        self.value.text_len()
    }
    fn number(&self) -> Option<f64> {
        self.value.number()
    }
    fn boolean(&self) -> Option<bool> {
        self.value.boolean()
    }
    fn keys(&self) -> Vec<String> {
        let keys = self.value.keys();
        self.add(keys.iter().map(String::len).sum());
        keys
    }
    fn key_count(&self) -> usize {
        self.value.key_count()
    }
    fn items(&self) -> Vec<Self> {
        let items: Vec<Self> = self
            .value
            .as_array()
            .into_iter()
            .flatten()
            .map(|value| self.inside(value))
            .collect();
        self.add(items.len());
        items
    }
    fn json(&self) -> Option<String> {
        self.of(self.value.json())
    }
}

/// What reading these events takes, by one core.
fn work(events: impl IntoIterator<Item = Value>) -> usize {
    let work = Rc::new(Cell::new(0));
    let mut core = Core::new(Options::default());
    for event in events {
        core.observe(
            &Counted {
                value: &event,
                work: Rc::clone(&work),
            },
            1.0,
        );
    }
    work.get()
}

fn writing() -> Value {
    let event = answer("ses_1", "msg_1", json!({ "time": { "created": 1 } }));
    without(event, "/properties/info", "finish")
}

const WORDS: &str = "Twenty letters more. ";

/// A stream of `count` deltas in the spelling of 1.2 and later.
fn by_deltas(count: usize) -> Vec<Value> {
    let open = part(PLACE, "text", json!({ "text": "", "time": { "start": 1 } }));
    let deltas = std::iter::repeat_n(delta(PLACE, WORDS), count);
    [writing(), open].into_iter().chain(deltas).collect()
}

/// The same in the spelling of 1.0 and 1.1: the whole text each time. `start`
/// is how long the text is already when the first is told.
fn by_whole_texts(start: usize, count: usize) -> Vec<Value> {
    let grown = |length: usize| {
        let mut event = part(
            PLACE,
            "text",
            json!({ "text": WORDS.repeat(length), "time": { "start": 1 } }),
        );
        event["properties"]["delta"] = json!(WORDS);
        event
    };
    std::iter::once(writing())
        .chain((start..start + count).map(|at| grown(at + 1)))
        .collect()
}

#[test]
fn a_stream_of_deltas_costs_what_it_is_long() {
    let (short, long) = (work(by_deltas(100)), work(by_deltas(1_000)));
    assert!(long < 11 * short, "{short} for 100, {long} for 1000");
}

#[test]
fn a_stream_of_whole_texts_costs_what_it_is_long() {
    let (short, long) = (work(by_whole_texts(0, 100)), work(by_whole_texts(0, 1_000)));
    assert!(long < 11 * short, "{short} for 100, {long} for 1000");
}

#[test]
fn a_whole_text_is_read_once_where_its_start_was_missed() {
    let first = work(by_whole_texts(1_000, 1));
    let second = work(by_whole_texts(1_000, 2)) - first;
    assert!(
        second < first / 10,
        "{first} for the first, {second} for the next"
    );
}

#[test]
fn an_event_costs_what_is_needed_of_it_and_not_what_it_carries() {
    let diffs: Vec<Value> = (0..1_000)
        .map(|at| json!({ "file": format!("f{at}"), "before": WORDS, "after": WORDS }))
        .collect();
    let small = work([crate::events::user(
        "ses_1",
        "msg_1",
        json!({ "summary": { "diffs": [] } }),
    )]);
    let large = work([crate::events::user(
        "ses_1",
        "msg_1",
        json!({ "summary": { "diffs": diffs } }),
    )]);
    assert_eq!(small, large);
    let running = |output: &str| {
        let state = json!({ "status": "running", "output": null, "metadata": { "output": output }, "time": { "start": 1 } });
        crate::events::tool(PLACE, "c", state)
    };
    assert_eq!(work([running("")]), work([running(&WORDS.repeat(10_000))]));
}

#[test]
fn what_is_ignored_on_purpose_costs_next_to_nothing() {
    let heavy = json!({ "type": "session.diff", "properties": { "sessionID": "ses_1", "diff": [WORDS.repeat(10_000)] } });
    assert!(work([heavy]) < 64);
}

/// How many bytes a sink is given of these events with a drain after each of
/// them, as though a second had passed, and at the end of the text.
fn drained(events: Vec<Value>) -> usize {
    let mut core = Core::new(Options::default());
    let ended = crate::events::text(PLACE, &WORDS.repeat(events.len()));
    let mut bytes = 0;
    for event in events.iter().chain([&ended]) {
        core.observe(&event, 1.0);
        let commands = core.drain().iter();
        bytes += commands
            .map(|one| serde_json::to_string(one).map_or(0, |json| json.len()))
            .sum::<usize>();
        core.settle(true);
    }
    bytes
}

#[test]
fn storing_a_text_as_it_is_written_costs_what_it_is_long() {
    for stream in [by_deltas, |count| by_whole_texts(0, count)] {
        // No multiple of the other: neither is just after a doubling.
        let (short, long) = (drained(stream(190)), drained(stream(1_900)));
        assert!(long < 11 * short, "{short} for 190, {long} for 1900");
    }
}

/// What the next drain holds of a text: its command, where it begins, and it.
fn next_text(core: &mut Core) -> Option<(&'static str, usize, String)> {
    let text = core.drain().iter().find_map(|one| match one {
        Command::PartUpsert(row) => Some((one.method(), 0, row.text.value()?.clone())),
        Command::PartAppend(append) => Some((
            one.method(),
            usize::try_from(append.offset).ok()?,
            append.text.clone(),
        )),
        _ => None,
    });
    core.settle(true);
    text
}

#[test]
fn a_text_is_drained_whole_and_then_what_came_and_nothing_where_nothing_came() {
    let mut core = Core::new(Options::default());
    for event in by_deltas(3) {
        core.observe(&&event, 1.0);
    }
    let begun = WORDS.repeat(3);
    let whole = ("part.upsert", 0, begun.clone());
    assert_eq!(next_text(&mut core), Some(whole));
    assert_eq!(next_text(&mut core), None);
    core.observe(&&delta(PLACE, WORDS), 1.0);
    let more = ("part.append", begun.len(), WORDS.to_owned());
    assert_eq!(next_text(&mut core), Some(more));
    assert_eq!(next_text(&mut core), None);
    for _ in 0..2 {
        core.observe(&&delta(PLACE, WORDS), 1.0);
    }
    let doubled = ("part.upsert", 0, WORDS.repeat(6));
    assert_eq!(next_text(&mut core), Some(doubled));
}

#[test]
fn what_came_to_a_text_and_was_not_stored_goes_with_what_comes_next() {
    let mut core = Core::new(Options::default());
    for event in by_deltas(20) {
        core.observe(&&event, 1.0);
    }
    let begun = next_text(&mut core).map_or(0, |(_, _, text)| text.len());
    for _ in 0..3 {
        core.observe(&&delta(PLACE, WORDS), 1.0);
        core.drain();
        core.settle(false);
    }
    let all = ("part.append", begun, WORDS.repeat(3));
    assert_eq!(next_text(&mut core), Some(all));
}

#[test]
fn what_waits_for_a_sink_that_fails_is_a_command_a_row_and_what_came_to_a_text() {
    let mut core = Core::new(Options::default());
    for round in 0..200 {
        for event in by_deltas(5) {
            core.observe(&&event, f64::from(round));
        }
        core.drain();
        core.settle(false);
    }
    let methods: Vec<&str> = core.drain().iter().map(Command::method).collect();
    let a_row = ["session.upsert", "message.upsert", "part.upsert"];
    assert_eq!(methods, [&a_row[..], &["part.append"]].concat());
}
