//! OpenCode's event types: those that are recorded, and those that are known
//! and ignored on purpose. Any other is counted as unknown.

/// Types that become rows.
pub(crate) const RECORDED: &[&str] = &[
    "message.part.delta",
    "message.part.removed",
    "message.part.updated",
    "message.removed",
    "message.updated",
    "permission.asked",
    "permission.replied",
    "permission.updated",
    "session.created",
    "session.deleted",
    "session.error",
    "session.idle",
    "session.status",
    "session.updated",
    "todo.updated",
];

/// Types that known releases send and nothing here needs: what concerns the
/// editor, the terminal, language servers and the process, and what another
/// event or a part says as well.
pub(crate) const IGNORED: &[&str] = &[
    "account.added",
    "account.removed",
    "account.switched",
    "agent.updated",
    "catalog.updated",
    "command.executed",
    "command.updated",
    "config.updated",
    "connector.updated",
    "file.edited",
    "file.watcher.updated",
    "global.disposed",
    "ide.installed",
    "installation.update-available",
    "installation.updated",
    "integration.connection.updated",
    "integration.updated",
    "lsp.client.diagnostics",
    "lsp.updated",
    "mcp.browser.open.failed",
    "mcp.status.changed",
    "mcp.tools.changed",
    "models-dev.refreshed",
    "permission.v2.asked",
    "permission.v2.replied",
    "plugin.added",
    "plugin.updated",
    "project.directories.updated",
    "project.updated",
    "pty.created",
    "pty.deleted",
    "pty.exited",
    "pty.updated",
    // A question's answers are in its tool call.
    "question.asked",
    "question.rejected",
    "question.replied",
    "question.v2.asked",
    "question.v2.rejected",
    "question.v2.replied",
    "reference.updated",
    "server.connected",
    "server.heartbeat",
    "server.instance.disposed",
    // Kilo's: `session.status` says when a turn ended.
    "session.drain.interrupted",
    "session.drained",
    "session.turn.close",
    "session.turn.open",
    // The compaction part says it, in its place.
    "session.compacted",
    // The counts are in the session's summary.
    "session.diff",
    "skill.updated",
    "tui.command.execute",
    "tui.prompt.append",
    "tui.session.select",
    "tui.toast.show",
    "vcs.branch.updated",
    "workspace.failed",
    "workspace.ready",
    "workspace.restore",
    "workspace.status",
    "worktree.failed",
    "worktree.ready",
];

/// What begins the names of 1.14's and 1.15's second telling of the same facts.
const TOLD_TWICE: &str = "session.next.";

/// Whether some known release sends `event_type`, and it is ignored on purpose.
pub(crate) fn is_ignored(event_type: &str) -> bool {
    IGNORED.contains(&event_type) || event_type.starts_with(TOLD_TWICE)
}
