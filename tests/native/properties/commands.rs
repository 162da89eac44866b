//! Commands of every method at random: each column a row declares is told,
//! told to be empty, or not told. Few ids and times, so that they meet.

use clankers::model::column::{Column, Row};
use clankers::model::command::Command;
use clankers::model::row::{
    MessageKind, MessageRow, OnDelete, PartRow, PermissionRow, Reply, Role, SessionErrorRow,
    SessionRow, SessionStatus, TodoRow, ToolCallRow, ToolStatus, UsageRow,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::events::with;
use crate::support::command;

/// What a part's text grows to: every text of a part is a beginning of it, as
/// OpenCode's are, and none ends inside a character.
const TEXT: &str = "a\u{e9}\u{1f600}bc";

const SESSIONS: &[&str] = &["ses_1", "ses_2"];
/// Each message with its session.
const MESSAGES: &[(&str, &str)] = &[("msg_1", "ses_1"), ("msg_2", "ses_1"), ("msg_3", "ses_2")];
/// Each part, or tool call, with its message.
const PARTS: &[(&str, usize)] = &[("prt_1", 0), ("prt_2", 0), ("prt_3", 1), ("prt_4", 2)];
const ERRORS: &[&str] = &["err_1", "err_2", "msg_1:error", "msg_2:error"];
const PERMISSIONS: &[&str] = &["per_1", "per_2"];

/// The beginnings of the text that end between two characters.
fn beginning() -> impl Strategy<Value = String> {
    let ends: Vec<usize> = TEXT
        .char_indices()
        .map(|(at, _)| at)
        .chain([TEXT.len()])
        .collect();
    select(ends).prop_map(|end| TEXT[..end].to_owned())
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

/// A value of a column.
fn value(column: &Column) -> BoxedStrategy<Value> {
    match (column.table, column.name, column.typescript) {
        ("parts", "text", _) => beginning().prop_map(Value::from).boxed(),
        ("parts", "type", _) => words(&["text", "text", "reasoning", "step-start"]),
        (_, "session_id", _) | ("sessions", "parent_id", _) => words(SESSIONS),
        (_, "message_id", _) => words(&["msg_1", "msg_2", "msg_3"]),
        (_, "store_id", _) => words(&["store_1", "store_2"]),
        (_, "call_id", _) => words(&["call_1", "call_2"]),
        (_, _, "SessionStatus") => select(SessionStatus::ALL)
            .prop_map(|one| one.word().into())
            .boxed(),
        (_, _, "Role") => select(Role::ALL).prop_map(|one| one.word().into()).boxed(),
        (_, _, "ToolStatus") => select(ToolStatus::ALL)
            .prop_map(|one| one.word().into())
            .boxed(),
        (_, _, "MessageKind") => select(MessageKind::ALL)
            .prop_map(|one| one.word().into())
            .boxed(),
        (_, _, "Reply") => select(Reply::ALL).prop_map(|one| one.word().into()).boxed(),
        (_, _, "boolean") => any::<bool>().prop_map(Value::from).boxed(),
        (_, "cost", _) => (0u8..4)
            .prop_map(|quarters| json!(f64::from(quarters) / 4.0))
            .boxed(),
        (_, _, "number") => (0u8..5).prop_map(Value::from).boxed(),
        (_, _, "string") => words(&["x", "y"]),
        (table, name, other) => unreachable!("no values for {other}, {table}.{name}"),
    }
}

/// How many of ten columns of a row are told, and how many of them as empty:
/// all of it, as OpenCode tells most, or a few columns, as other writers may.
const TOLD: &[(u8, u8)] = &[(10, 1), (7, 2), (2, 1)];

/// The fields of a row beside what says which one it is.
fn fields(columns: &'static [Column]) -> impl Strategy<Value = Value> {
    let field = |column: &'static Column| (0u8..10, value(column));
    let fields: Vec<_> = columns.iter().map(field).collect();
    (select(TOLD), fields).prop_map(move |((told, empty), fields)| {
        let field = |(column, (at, value)): (&Column, (u8, Value))| {
            let value = if at < empty { Value::Null } else { value };
            (at < told).then(|| (column.json.to_owned(), value))
        };
        columns.iter().zip(fields).filter_map(field).collect()
    })
}

/// A command whose parameters are a row's.
fn row<R: Row>(
    method: &'static str,
    keys: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Command> {
    let row = (keys, fields(R::COLUMNS));
    let told = row.prop_map(|(keys, fields)| with(keys, fields));
    told.prop_map(move |params| {
        let has_fixed_keys = R::KEYS.len() > 1 || method == "session.upsert";
        let params = if has_fixed_keys {
            params
        } else {
            with_its_session(params)
        };
        command(method, params)
    })
    .boxed()
}

/// A failure or a permission with the session that it belongs to, and a
/// message of that, where it tells them: none moves from one to another.
fn with_its_session(mut params: Value) -> Value {
    let of_second = ["err_2", "per_2"].iter().any(|id| params["id"] == *id);
    let (session, messages) = if of_second {
        ("ses_2", &MESSAGES[2..])
    } else {
        ("ses_1", &MESSAGES[..2])
    };
    if params["sessionId"].is_string() {
        params["sessionId"] = json!(session);
    }
    if params["messageId"].is_string() && !messages.iter().any(|(id, _)| params["messageId"] == *id)
    {
        params["messageId"] = json!(messages[0].0);
    }
    params
}

fn session() -> impl Strategy<Value = Value> {
    select(SESSIONS).prop_map(|id| json!({ "id": id }))
}

fn message() -> impl Strategy<Value = Value> {
    select(MESSAGES).prop_map(|(id, session)| json!({ "id": id, "sessionId": session }))
}

fn part() -> impl Strategy<Value = Value> {
    select(PARTS).prop_map(|(id, message)| {
        let (message, session) = MESSAGES[message];
        json!({ "id": id, "messageId": message, "sessionId": session })
    })
}

fn of(ids: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(ids).prop_map(|id| json!({ "id": id }))
}

fn append() -> impl Strategy<Value = Command> {
    (part(), beginning(), beginning()).prop_map(|(part, one, other)| {
        let (from, to) = (one.len().min(other.len()), one.len().max(other.len()));
        command(
            "part.append",
            with(part, json!({ "offset": from, "text": &TEXT[from..to] })),
        )
    })
}

/// Who tells a deletion: a store that tells rows, too, and may have them again,
/// another, or nobody known.
fn teller() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::weighted(0.9, select(&["store_1", "store_2", "store_3"][..]))
}

fn deletion(
    method: &'static str,
    which: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Command> {
    let how = (which, 0u8..5, select(OnDelete::ALL), teller());
    how.prop_map(move |(which, at, how, store)| {
        let how = json!({ "deletedAt": at, "onDelete": how.word(), "storeId": store });
        command(method, with(which, how))
    })
    .boxed()
}

fn missing(
    method: &'static str,
    which: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Command> {
    let asked = (which, 0u8..5, select(&["store_1", "store_2"][..]));
    asked
        .prop_map(move |(which, since, store)| {
            command(
                method,
                with(which, json!({ "since": since, "storeId": store })),
            )
        })
        .boxed()
}

fn todos() -> impl Strategy<Value = Command> {
    let todo = fields(TodoRow::COLUMNS).prop_map(|more| with(json!({ "content": "c" }), more));
    let list = prop::collection::vec(todo, 0..3);
    let copied = prop::option::of(0u8..5);
    (select(SESSIONS), list, copied).prop_map(|(session, todos, copied)| {
        let list = json!({ "sessionId": session, "todos": todos });
        let of_copy = copied.map_or(json!({}), |at| json!({ "copiedAt": at }));
        command("todo.replace", with(list, of_copy))
    })
}

fn rejection() -> impl Strategy<Value = Command> {
    (select(&["a", "b"][..]), 0u8..5, 1u8..3, prop::option::of(Just("1"))).prop_map(|(word, at, count, version)| {
        command(
            "rejection.record",
            json!({
                "eventType": "e", "code": "wrong_type", "path": "p", "expected": word, "found": word,
                "sample": word, "sourceVersion": version, "count": count, "firstSeen": at, "lastSeen": at + count,
            }),
        )
    })
}

fn revert() -> impl Strategy<Value = Command> {
    let how = (
        select(MESSAGES),
        prop::option::of(0u8..5),
        0u8..5,
        select(OnDelete::ALL),
        teller(),
    );
    how.prop_map(|((id, session), before, at, how, store)| {
        command(
            "session.revert",
            json!({
                "sessionId": session, "to": id, "before": before, "deletedAt": at,
                "onDelete": how.word(), "storeId": store,
            }),
        )
    })
}

/// A command of this method.
fn of_method(method: &'static str) -> BoxedStrategy<Command> {
    match method {
        "session.upsert" => row::<SessionRow>(method, session()),
        "message.upsert" => row::<MessageRow>(method, message()),
        "part.upsert" => row::<PartRow>(method, part()),
        "part.append" => append().boxed(),
        "tool_call.upsert" => row::<ToolCallRow>(method, part()),
        "usage.upsert" => row::<UsageRow>(method, part()),
        "session_error.upsert" => row::<SessionErrorRow>(method, of(ERRORS)),
        "permission.upsert" => row::<PermissionRow>(method, of(PERMISSIONS)),
        "todo.replace" => todos().boxed(),
        "part.missing" => missing(method, part()),
        "message.missing" => missing(method, message()),
        "session.missing" => missing(method, session()),
        "part.delete" => deletion(method, part()),
        "message.delete" => deletion(method, message()),
        "session.delete" => deletion(method, session()),
        "session.revert" => revert().boxed(),
        "usage.balance" => select(SESSIONS)
            .prop_map(move |id| command(method, json!({ "sessionId": id })))
            .boxed(),
        "rejection.record" => rejection().boxed(),
        other => unreachable!("no commands of {other}"),
    }
}

/// A command of any method.
pub(crate) fn any_command() -> BoxedStrategy<Command> {
    command_of(Command::METHODS.to_vec())
}

/// A command of one of these methods.
fn command_of(methods: Vec<&'static str>) -> BoxedStrategy<Command> {
    proptest::strategy::Union::new(methods.into_iter().map(of_method)).boxed()
}

/// Commands of a few methods, so that they meet in their rows, or of any.
pub(crate) fn commands(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Command>> {
    let few = prop::sample::subsequence(Command::METHODS, 1..4);
    prop_oneof![2 => few.boxed(), 1 => Just(Command::METHODS.to_vec()).boxed()]
        .prop_flat_map(move |methods| prop::collection::vec(command_of(methods), count.clone()))
}
