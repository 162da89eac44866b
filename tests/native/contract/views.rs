//! The views over the ledger, without inherited rows.

use clankers::Options;
use serde_json::{Value, json};

use crate::events::{answer, session, step, tool, with};
use crate::support::{Db, tell, told};

const COUNTS: &str = "steps prompt_tokens completion_tokens reasoning_tokens cache_read_tokens cache_write_tokens cost";

fn counted(all: u32) -> Value {
    json!({ "input": all, "output": all, "reasoning": all, "cache": { "read": all, "write": all } })
}

/// A session of a project with one step, `day` days after the first.
fn spent(id: &str, project: &str, model: &str, day: u32, more: Value) -> Vec<Value> {
    let noon = 43_200_000 + day * 86_400_000;
    let created = json!({ "directory": project, "time": { "created": noon, "updated": noon } });
    let time = json!({ "modelID": model, "time": { "created": noon + 1, "completed": noon + 2 } });
    let message = format!("msg_{id}");
    vec![
        session(id, with(created, more)),
        answer(id, &message, time),
        step((id, &message, &format!("prt_{id}")), 0.5, counted(1)),
    ]
}

#[test]
fn the_views_have_the_columns_of_the_contract() {
    let db = Db::new();
    for (view, columns) in [
        ("usage_by_day", format!("day project_name model provider {COUNTS}")),
        ("usage_by_model", format!("model provider {COUNTS}")),
        ("usage_by_project", format!("project_name project_path {COUNTS}")),
        (
            "session_usage",
            "session_id own_tokens own_cost inclusive_tokens inclusive_cost inherited_tokens inherited_cost".to_owned(),
        ),
        ("tool_usage", "tool calls errors total_duration_ms mean_duration_ms".to_owned()),
    ] {
        let found = db.rows(&format!("SELECT name FROM pragma_table_info('{view}')"));
        assert_eq!(found.join(" ").replace('"', ""), columns, "{view}");
    }
}

#[test]
fn what_only_the_totals_show_is_spent_and_no_step() {
    let db = told(spent("ses_1", "/p/app", "m1", 0, json!({})));
    let overhead =
        "INSERT INTO usage (id, session_id, kind, cost) VALUES ('o', 'ses_1', 'overhead', 0.25)";
    assert_eq!(db.rows(overhead), [""; 0]);
    for view in ["usage_by_day", "usage_by_model", "usage_by_project"] {
        let sums = format!("SELECT sum(steps), sum(cost) FROM {view}");
        assert_eq!(db.rows(&sums), ["1 | 0.75"], "{view}");
    }
}

#[test]
fn usage_by_day_sums_each_day_project_and_model() {
    let db = told(
        [
            spent("ses_1", "/p/app", "m1", 0, json!({})),
            spent("ses_2", "/p/app", "m1", 0, json!({})),
            spent("ses_3", "/p/app", "m2", 0, json!({})),
            spent("ses_4", "/p/app", "m1", 3, json!({})),
            spent("ses_5", "/p/lib", "m1", 3, json!({})),
        ]
        .concat(),
    );
    let day = |days: u32| {
        db.value(&format!(
            "SELECT date({}, 'unixepoch', 'localtime')",
            43_200 + days * 86_400
        ))
    };
    let (first, fourth) = (day(0), day(3));
    assert_eq!(
        db.rows("SELECT day, project_name, model, provider, steps, prompt_tokens, cache_write_tokens, cost FROM usage_by_day ORDER BY 1, 2, 3"),
        [
            format!(r#"{first} | "app" | "m1" | "p" | 2 | 2 | 2 | 1"#),
            format!(r#"{first} | "app" | "m2" | "p" | 1 | 1 | 1 | 0.5"#),
            format!(r#"{fourth} | "app" | "m1" | "p" | 1 | 1 | 1 | 0.5"#),
            format!(r#"{fourth} | "lib" | "m1" | "p" | 1 | 1 | 1 | 0.5"#),
        ]
    );
}

#[test]
fn usage_by_model_and_by_project_sum_all_of_them() {
    let db = told(
        [
            spent("ses_1", "/p/app", "m1", 0, json!({})),
            spent("ses_2", "/q/app", "m1", 1, json!({})),
            spent("ses_3", "/p/app", "m2", 2, json!({})),
        ]
        .concat(),
    );
    assert_eq!(
        db.rows(
            "SELECT model, provider, steps, reasoning_tokens, cost FROM usage_by_model ORDER BY 1"
        ),
        [r#""m1" | "p" | 2 | 2 | 1"#, r#""m2" | "p" | 1 | 1 | 0.5"#]
    );
    assert_eq!(
        db.rows("SELECT project_name, project_path, steps, cost FROM usage_by_project ORDER BY 2"),
        [
            r#""app" | "/p/app" | 2 | 1"#,
            r#""app" | "/q/app" | 1 | 0.5"#
        ]
    );
}

#[test]
fn inherited_steps_are_in_no_sum_but_their_own() {
    let db = told(spent("ses_1", "/p/app", "m1", 0, json!({})));
    let forked = [
        vec![session(
            "ses_fork",
            json!({ "directory": "/p/app", "time": { "created": 50_000_000, "updated": 50_000_000 } }),
        )],
        spent("ses_fork", "/p/app", "m1", 0, json!({}))[1..].to_vec(),
    ];
    tell(&db, Options::default(), forked.concat());
    for view in ["usage_by_day", "usage_by_model", "usage_by_project"] {
        assert_eq!(
            db.rows(&format!("SELECT steps FROM {view}")),
            ["1"],
            "{view}"
        );
    }
    assert_eq!(
        db.rows("SELECT * FROM session_usage ORDER BY 1"),
        [
            r#""ses_1" | 5 | 0.5 | 5 | 0.5 | 0 | 0"#,
            r#""ses_fork" | 0 | 0 | 0 | 0 | 5 | 0.5"#
        ]
    );
}

#[test]
fn session_usage_includes_sub_agents_at_any_depth() {
    let child_of = |parent: &str| json!({ "parentID": parent });
    let mut events = spent("ses_0", "/p", "m", 0, json!({}));
    for depth in 1..=20 {
        events.extend(spent(
            &format!("ses_{depth}"),
            "/p",
            "m",
            0,
            child_of(&format!("ses_{}", depth - 1)),
        ));
    }
    events.extend(spent("ses_alone", "/p", "m", 0, json!({})));
    let db = told(events);
    let usage = |id: &str| {
        db.rows(&format!("SELECT own_tokens, own_cost, inclusive_tokens, inclusive_cost FROM session_usage WHERE session_id = '{id}'"))
    };
    assert_eq!(usage("ses_0"), ["5 | 0.5 | 105 | 10.5"]);
    assert_eq!(usage("ses_19"), ["5 | 0.5 | 10 | 1"]);
    assert_eq!(usage("ses_20"), ["5 | 0.5 | 5 | 0.5"]);
    assert_eq!(usage("ses_alone"), ["5 | 0.5 | 5 | 0.5"]);
}

#[test]
fn session_usage_ends_where_parents_are_a_circle() {
    let child_of = |parent: &str| json!({ "parentID": parent });
    let db = told(
        [
            spent("ses_1", "/p", "m", 0, child_of("ses_3")),
            spent("ses_2", "/p", "m", 0, child_of("ses_1")),
            spent("ses_3", "/p", "m", 0, child_of("ses_2")),
            spent("ses_self", "/p", "m", 0, child_of("ses_self")),
        ]
        .concat(),
    );
    assert_eq!(
        db.rows("SELECT session_id, inclusive_tokens FROM session_usage ORDER BY 1"),
        [
            r#""ses_1" | 15"#,
            r#""ses_2" | 15"#,
            r#""ses_3" | 15"#,
            r#""ses_self" | 5"#
        ]
    );
}

#[test]
fn session_usage_knows_sessions_without_usage_and_usage_without_session() {
    let db = told([session("ses_new", json!({}))]);
    tell(
        &db,
        Options {
            on_delete: clankers::model::row::OnDelete::Purge,
            ..Options::default()
        },
        {
            let mut events = spent("ses_gone", "/p", "m", 0, json!({}));
            events.push(crate::events::session_deleted("ses_gone"));
            events
        },
    );
    assert_eq!(
        db.rows("SELECT * FROM session_usage ORDER BY 1"),
        [
            r#""ses_gone" | 5 | 0.5 | 5 | 0.5 | 0 | 0"#,
            r#""ses_new" | 0 | 0 | 0 | 0 | 0 | 0"#
        ]
    );
}

#[test]
fn tool_usage_leaves_out_the_time_a_person_was_asked() {
    let place = |id| ("ses_1", "msg_1", id);
    let asked = |id: &str, call: &str| {
        let asked = json!({ "id": id, "sessionID": "ses_1", "permission": "bash", "patterns": [], "metadata": {}, "always": [], "tool": { "messageID": "msg_1", "callID": call } });
        crate::events::event("permission.asked", asked)
    };
    let replied = |id: &str| {
        crate::events::event(
            "permission.replied",
            json!({ "sessionID": "ses_1", "requestID": id, "reply": "once" }),
        )
    };
    let time = json!({ "time": { "start": 999_000, "end": 1_004_000 } });
    let db = told([
        tool(place("prt_1"), "c1", time),
        asked("per_1", "c1"),
        replied("per_1"),
        tool(
            place("prt_2"),
            "c2",
            json!({ "status": "error", "error": "no" }),
        ),
        tool(
            place("prt_3"),
            "c3",
            json!({ "status": "running", "time": { "start": 5000 } }),
        ),
    ]);
    assert_eq!(
        db.rows("SELECT * FROM tool_usage"),
        [r#""bash" | 3 | 1 | 8000 | 4000"#]
    );
}

#[test]
fn tool_usage_counts_each_tool_and_leaves_out_what_a_fork_copied() {
    let time = |end: u32| json!({ "time": { "start": 1000, "end": end } });
    let of = |tool: &str, mut event: Value| {
        event["properties"]["part"]["tool"] = json!(tool);
        event
    };
    let db = told([
        session("ses_1", json!({})),
        answer("ses_1", "msg_1", json!({})),
        of("bash", tool(("ses_1", "msg_1", "prt_1"), "c1", time(3000))),
        of("read", tool(("ses_1", "msg_1", "prt_2"), "c2", time(1500))),
        session(
            "ses_2",
            json!({ "time": { "created": 5000, "updated": 5000 } }),
        ),
        answer("ses_2", "msg_2", json!({})),
        of("bash", tool(("ses_2", "msg_2", "prt_3"), "c1", time(3000))),
    ]);
    assert_eq!(
        db.rows("SELECT * FROM tool_usage ORDER BY tool"),
        [
            r#""bash" | 1 | 0 | 2000 | 2000"#,
            r#""read" | 1 | 0 | 500 | 500"#
        ]
    );
}

#[test]
fn each_kind_of_tokens_is_summed_in_a_column_of_its_own() {
    let tokens = json!({ "input": 1, "output": 10, "reasoning": 100, "cache": { "read": 1000, "write": 10_000 } });
    let db = told([
        session("ses_1", json!({})),
        answer("ses_1", "msg_1", json!({ "tokens": tokens })),
        step(("ses_1", "msg_1", "prt_1"), 0.5, tokens.clone()),
        step(("ses_1", "msg_1", "prt_2"), 0.5, tokens),
    ]);
    let columns =
        "prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens";
    for view in ["usage_by_day", "usage_by_model", "usage_by_project"] {
        let sums = db.rows(&format!("SELECT {columns} FROM {view}"));
        assert_eq!(sums, ["2 | 20 | 200 | 2000 | 20000"], "{view}");
    }
    // A session's own are those of its answer, where OpenCode reports none.
    let own = db.rows(&format!("SELECT {columns} FROM sessions"));
    assert_eq!(own, ["1 | 10 | 100 | 1000 | 10000"]);
    assert_eq!(db.value("SELECT own_tokens FROM session_usage"), "22222");
}
