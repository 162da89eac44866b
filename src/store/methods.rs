//! The statements of each command, in their order, and what each waits for.

use super::statement::{Sql, Statement, When};
use super::statements as sql;
use super::{copies, deleting, guards, ledger, missing, upsert};
use crate::model::command::Command;
use crate::model::row::PermissionRow;

/// What `session_own` is made from.
const SESSION_OWN: &[&str] = &[
    "agent",
    "model",
    "provider",
    "wholeAt",
    "updatedAt",
    "reportsTotals",
    "promptTokens",
    "completionTokens",
    "reasoningTokens",
    "cacheReadTokens",
    "cacheWriteTokens",
    "cost",
];

/// What decides which answer a session's agent and model are of, or says them.
const OF_ANSWER: &[&str] = &["agent", "model", "provider", "storeId"];

/// What a message's steps have of it, and what makes it one.
const OF_STEPS: &[&str] = &[
    "role",
    "kind",
    "errorName",
    "agent",
    "model",
    "provider",
    "promptTokens",
    "completionTokens",
    "reasoningTokens",
    "cacheReadTokens",
    "cacheWriteTokens",
    "cost",
    "createdAt",
    "completedAt",
];

/// The statements of the command `method`, in the order they are to be run.
/// None for a method that is not a command's.
pub fn statements(method: &str) -> Option<Vec<Statement>> {
    Some(match method {
        "session.upsert" => session_upsert(),
        "session.delete" => always(deleting::session()),
        "message.upsert" => message_upsert(),
        "message.delete" => {
            let mut all = deleting::message();
            all.push(sql::derive_session("sessionId"));
            always(all)
        }
        "part.upsert" => part_upsert(),
        "part.append" => always(vec![sql::append(), sql::derive_text()]),
        "part.delete" => always(deleting::part()),
        "tool_call.upsert" => tool_call_upsert(),
        "usage.upsert" => usage_upsert(),
        "usage.balance" => always(ledger::balance("true").to_vec()),
        "session.revert" => {
            let mut all = deleting::reverted();
            all.push(sql::derive_session("sessionId"));
            always(all)
        }
        "session.missing" => always(missing::session()),
        "message.missing" => always(vec![missing::message(), sql::derive_session("sessionId")]),
        "part.missing" => always(missing::part()),
        "session_error.upsert" => {
            let mut all = vec![upsert::session_errors()];
            all.extend(sql::failure_of_answer());
            always(all)
        }
        "permission.upsert" => {
            let [remember, forget] = deleting::permission_of_purged();
            always(vec![
                remember,
                upsert::permissions(),
                forget,
                sql::erase_content::<PermissionRow>(),
                sql::wait_of_permission(),
            ])
        }
        "todo.replace" => always(sql::todo_replace()),
        "rejection.record" => always(vec![sql::rejection_record()]),
        _ => return None,
    })
}

/// A store that tells a row may bring it back.
const BY_A_STORE: When = When::Present(&["storeId"]);
/// A store that was asked for a row has it.
const ANSWERED: When = When::Present(&["answeredAt"]);

fn session_upsert() -> Vec<Statement> {
    let mut all: Vec<Statement> = missing::end_deletion_of_session()
        .map(|sql| sql.when(BY_A_STORE))
        .into();
    all.extend([
        sql::parent_of_purged().when(When::Present(&["parentId"])),
        copies::claim_copy().when(When::Present(&["copyRank"])),
        ledger::inherit().when(When::Present(&["createdAt"])),
    ]);
    all.extend(missing::revive_session().map(|sql| sql.when(BY_A_STORE)));
    all.push(upsert::sessions().always());
    all.push(copies::more_spent().when(When::Present(&["copyRank"])));
    all.push(copies::what_was_taken_out().when(When::Present(&["copyRank"])));
    all.push(upsert::session_status().when(When::Present(&["status"])));
    all.push(sql::session_own().when(When::Present(SESSION_OWN)));
    all.extend(missing::session_is_seen().map(|sql| sql.when(BY_A_STORE)));
    all.push(sql::derive_session("id").when(When::Present(OF_ANSWER)));
    all
}

fn message_upsert() -> Vec<Statement> {
    let mut all: Vec<Statement> = missing::end_deletion_of_message()
        .map(|sql| sql.when(BY_A_STORE))
        .into();
    all.push(sql::ensure_session().always());
    all.extend(missing::revive_message().map(|sql| sql.when(BY_A_STORE)));
    all.extend([
        upsert::messages().always(),
        missing::is_answered("messages").when(ANSWERED),
        ledger::complete().when(When::Present(OF_STEPS)),
        ledger::of_message().when(When::Present(OF_STEPS)),
    ]);
    let balance = ledger::balance(ledger::HAS_OVERHEAD);
    all.extend(balance.map(|sql| sql.when(When::Present(OF_STEPS))));
    all.extend([sql::derive_session("sessionId").always()]);
    all
}

fn part_upsert() -> Vec<Statement> {
    let [end, unpurge] = missing::end_deletion();
    vec![
        end.when(BY_A_STORE),
        unpurge.when(BY_A_STORE),
        sql::ensure_session().always(),
        sql::ensure_message().always(),
        sql::derive_text_without(&guards::takes_part()).when(When::IsNot("type", "text")),
        upsert::parts().always(),
        missing::is_answered("parts").when(ANSWERED),
        // Also where its type is not told, or was not taken: it is a text yet.
        sql::derive_text().always(),
    ]
}

fn tool_call_upsert() -> Vec<Statement> {
    let [end, unpurge] = missing::end_deletion();
    vec![
        sql::ensure_session().always(),
        sql::ensure_message().always(),
        end.when(BY_A_STORE),
        missing::revive_call().when(BY_A_STORE),
        unpurge.when(BY_A_STORE),
        upsert::tool_calls().always(),
        missing::is_answered("tool_calls").when(ANSWERED),
        sql::wait_of_call().always(),
    ]
}

fn usage_upsert() -> Vec<Statement> {
    let own = When::Present(&["model", "provider"]);
    let mut all = vec![
        sql::ensure_session().always(),
        sql::ensure_message().always(),
        ledger::own().when(own),
        ledger::of_step().always(),
        ledger::of_own().when(own),
        ledger::replace_message().always(),
    ];
    all.extend(ledger::balance(ledger::HAS_OVERHEAD).map(Sql::always));
    all
}

fn always(all: Vec<String>) -> Vec<Statement> {
    all.into_iter().map(Sql::always).collect()
}

/// Every command's method with its statements.
pub fn all_statements() -> Vec<(&'static str, Vec<Statement>)> {
    Command::METHODS
        .iter()
        .filter_map(|&method| Some((method, statements(method)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::column::{Column, Row, Rule};
    use crate::model::row::{SessionRow, UsageRow};

    #[test]
    fn every_amount_is_among_what_the_sums_are_made_of() {
        let of_rule = |rule: Rule| move |column: &&Column| column.rule == rule;
        let reported = SessionRow::COLUMNS.iter().filter(of_rule(Rule::Reported));
        let spent = UsageRow::COLUMNS.iter().filter(of_rule(Rule::Greatest));
        let amounts: Vec<&str> = spent.map(|column| column.json).collect();
        assert!(
            reported
                .map(|column| column.json)
                .eq(amounts.iter().copied())
        );
        for amount in amounts {
            assert!(SESSION_OWN.contains(&amount), "{amount}");
            assert!(OF_STEPS.contains(&amount), "{amount}");
        }
    }
}
