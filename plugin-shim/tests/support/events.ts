/** Events as OpenCode sends them, new objects on each call. */
import type { BusEvent } from "../../src/hosts/host.ts";

/** The envelope of 1.0 to 1.3, or of 1.14 and later where an id is given. */
function envelope(type: string, properties: object, id?: string): BusEvent {
	const event = { type, properties };
	return id === undefined ? event : { id, ...event };
}

export function sessionCreated(
	sessionID: string,
	title: string,
	id?: string,
): BusEvent {
	return envelope(
		"session.created",
		{ sessionID, info: info(sessionID, title) },
		id,
	);
}

export function sessionUpdated(
	sessionID: string,
	title: string,
	id?: string,
): BusEvent {
	return envelope(
		"session.updated",
		{ sessionID, info: info(sessionID, title) },
		id,
	);
}

export function sessionIdle(sessionID: string, id?: string): BusEvent {
	return envelope("session.idle", { sessionID }, id);
}

export function assistantMessage(
	sessionID: string,
	messageID: string,
): BusEvent {
	return envelope("message.updated", {
		sessionID,
		info: {
			id: messageID,
			sessionID,
			role: "assistant",
			parentID: "msg_0",
			modelID: "large",
			providerID: "scripted",
			mode: "build",
			agent: "build",
			path: { cwd: "/home/user/project", root: "/home/user/project" },
			cost: 0,
			tokens: {
				input: 0,
				output: 0,
				reasoning: 0,
				cache: { read: 0, write: 0 },
			},
			time: { created: 1_790_000_000_010 },
		},
	});
}

/** A text that has begun and is still being written. */
export function textPart(
	sessionID: string,
	messageID: string,
	partID: string,
	text: string,
): BusEvent {
	return envelope("message.part.updated", {
		sessionID,
		part: {
			id: partID,
			sessionID,
			messageID,
			type: "text",
			text,
			time: { start: 1_790_000_000_015 },
		},
		time: 1_790_000_000_020,
	});
}

export function textDelta(
	sessionID: string,
	messageID: string,
	partID: string,
	delta: string,
	id?: string,
): BusEvent {
	return envelope(
		"message.part.delta",
		{ sessionID, messageID, partID, field: "text", delta },
		id,
	);
}

function info(id: string, title: string): object {
	return {
		id,
		slug: "silent-planet",
		version: "1.18.34",
		projectID: "global",
		directory: "/home/user/project",
		path: "",
		title,
		cost: 0,
		tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
		time: { created: 1_790_000_000_000, updated: 1_790_000_000_000 },
	};
}
