//! What `clankers` says of forks: what they copied is spent once.

use serde_json::json;

use crate::support::home::Home;
use crate::support::recording;

/// Records a session that costs this much, as OpenCode says, with one answer of $2.
fn record(home: &Home, id: &str, made: u32, reported: f64) {
    let message = format!("msg_{id}");
    let commands = [
        json!({ "method": "session.upsert", "params": {
            "id": id, "title": id, "createdAt": made, "updatedAt": made, "cost": reported,
            "promptTokens": 1 } }),
        json!({ "method": "message.upsert", "params": {
            "id": message, "sessionId": id, "role": "assistant", "createdAt": 2000,
            "completedAt": 3000, "model": "m", "provider": "p", "cost": 2.0 } }),
        json!({ "method": "usage.upsert", "params": {
            "id": format!("prt_{id}"), "messageId": message, "sessionId": id,
            "promptTokens": 100, "cost": 2.0 } }),
        json!({ "method": "tool_call.upsert", "params": {
            "id": format!("prt_call_{id}"), "messageId": message, "sessionId": id, "tool": "bash",
            "status": "completed" } }),
    ];
    let commands = commands.map(|command| serde_json::from_value(command).unwrap());
    recording::apply(&home.open(), &commands);
}

#[test]
fn a_fork_of_what_nobody_recorded_is_counted_and_not_called_counted_twice() {
    // OpenCode 1 reports what a fork copied, OpenCode 2 does not.
    for reported in [2.0, 0.0] {
        let home = Home::with_recordings(&[]);
        record(&home, "ses_fork", 5000, reported);
        let stats = home.stdout(&["stats"]);
        assert!(stats.contains("$2.0000"), "{stats}");
        assert!(!stats.contains("counted again"), "{stats}");
        let why = "  $2.0000 spent before a fork, in a session that is not recorded itself";
        assert_eq!(stats.contains(why), reported == 0.0, "{stats}");
        assert!(!stats.contains("reverted or removed"), "{stats}");
        let told = home.stdout(&["status"]);
        assert!(told.contains("$2.0000 spent"), "{told}");
        let tools = home.stdout(&["tools"]);
        assert!(tools.contains("bash"), "{tools}");

        record(&home, "ses_first", 1000, 2.0);
        let stats = home.stdout(&["stats"]);
        assert!(stats.contains("$2.0000"), "{stats}");
        assert!(!stats.contains(why), "{stats}");
        assert_eq!(
            stats.contains("$2.0000 counted again"),
            reported > 0.0,
            "{stats}"
        );
        let calls = home.stdout(&["tools", "--format", "csv"]);
        assert!(calls.contains("bash,1,"), "{calls}");
    }
}
