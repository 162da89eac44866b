/** What the demo shows of the database. */

import { Database } from "bun:sqlite";

export interface Session {
	id: string;
	title: string | null;
	project_name: string;
	model: string;
	tokens: number;
	cost: number;
	messages: number;
	parent: string | null;
}

export interface Message {
	session: string | null;
	role: string;
	model: string;
	text_content: string;
	cost: number;
}

export interface ToolCall {
	tool: string;
	status: string;
	title: string | null;
	duration_ms: number;
	session: string | null;
}

export interface Usage {
	/** Neither is told of what only a session's total shows, such as its title. */
	provider: string | null;
	model: string | null;
	steps: number;
	prompt_tokens: number;
	completion_tokens: number;
	cost: number;
}

export interface Rows {
	sessions: Session[];
	messages: Message[];
	toolCalls: ToolCall[];
	usage: Usage[];
	/** Messages and tool calls whose session or message is missing. */
	orphans: number;
	rejections: number;
}

export function readRows(path: string): Rows {
	const database = new Database(path, { readonly: true });
	const all = <Row>(sql: string): Row[] => database.query(sql).all() as Row[];
	const count = (sql: string): number =>
		(database.query(sql).get() as { n: number }).n;
	try {
		return {
			sessions: all(`
				SELECT id, title, project_name, model, cost,
					prompt_tokens + completion_tokens + reasoning_tokens
						+ cache_read_tokens + cache_write_tokens AS tokens,
					(SELECT count(*) FROM messages WHERE session_id = sessions.id) AS messages,
					(SELECT title FROM sessions AS parent WHERE parent.id = sessions.parent_id) AS parent
				FROM sessions ORDER BY created_at`),
			messages: all(`
				SELECT sessions.title AS session, role, messages.model AS model, text_content,
					messages.cost AS cost
				FROM messages JOIN sessions ON sessions.id = messages.session_id
				ORDER BY messages.created_at, messages.id`),
			toolCalls: all(`
				SELECT tool, tool_calls.status AS status, tool_calls.title AS title, duration_ms,
					sessions.title AS session
				FROM tool_calls JOIN sessions ON sessions.id = tool_calls.session_id
				ORDER BY started_at`),
			usage: all(
				"SELECT provider, model, steps, prompt_tokens, completion_tokens, cost FROM usage_by_model ORDER BY cost DESC",
			),
			orphans: count(`
				SELECT (SELECT count(*) FROM messages WHERE session_id NOT IN (SELECT id FROM sessions))
					+ (SELECT count(*) FROM tool_calls WHERE message_id NOT IN (SELECT id FROM messages)) AS n`),
			rejections: count("SELECT count(*) AS n FROM rejections"),
		};
	} finally {
		database.close();
	}
}
