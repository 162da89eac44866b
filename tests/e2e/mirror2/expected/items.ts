/** The items of a message, under ids that events and answers both give: message, kind and ordinal; of a tool call message and call id. */

import type { Json, JsonObject } from "../../harness/api.ts";
import { object } from "../../mirror/expected/values.ts";
import type { Message2 } from "../../opencode2/api.ts";

export interface Item {
	readonly id: string;
	readonly kind: string;
	/** Its place in the message. */
	readonly position: number;
	readonly text?: string;
	/** What it holds beyond its text and times. */
	readonly data: JsonObject;
	readonly time: JsonObject;
	/** The tool call itself. */
	readonly call: JsonObject;
}

export function itemsOf(message: Message2): Item[] {
	return message.type === "assistant" ? said(message) : written(message);
}

/** An answer's texts, thoughts and tool calls, in the order in which they began. */
function said(message: Message2): Item[] {
	const ordinals = new Map<string, number>();
	return list(message.content).map((item, position): Item => {
		const kind = String(item.type);
		if (kind === "tool")
			return {
				id: `${message.id}:tool:${item.id}`,
				kind,
				position,
				data: {},
				time: {},
				call: item,
			};
		const ordinal = ordinals.get(kind) ?? 0;
		ordinals.set(kind, ordinal + 1);
		return {
			id: `${message.id}:${kind}:${ordinal}`,
			kind,
			position,
			...(typeof item.text === "string" && { text: item.text }),
			data: without(item, ["type", "text", "time"]),
			time: object(item.time),
			call: {},
		};
	});
}

/** Where each type of message has its text. */
const TEXT_FIELDS: Readonly<Record<string, string>> = {
	shell: "command",
	compaction: "summary",
};
/** What a prompt carries beside its text, and the kind of its items. */
const ATTACHMENTS: Readonly<Record<string, string>> = {
	files: "file",
	agents: "agent",
	skills: "skill",
};
/** What has columns of its own. */
const IN_COLUMNS = ["id", "type", "time", "model", "cost", "tokens", "error"];

/**
 * One text, which also holds what else the message says, and then what was
 * attached, or what a person's command came to.
 */
function written(message: Message2): Item[] {
	const field = TEXT_FIELDS[message.type] ?? "text";
	const text = message[field];
	if (message.type === "compaction" && !isSummed(message)) return [];
	const attachments = Object.keys(ATTACHMENTS);
	const first: Item = {
		id: `${message.id}:text:0`,
		kind: "text",
		position: 0,
		text: typeof text === "string" ? text : "",
		data: without(message, [...IN_COLUMNS, field, ...attachments]),
		time: {},
		call: {},
	};
	const attached = Object.entries(ATTACHMENTS).flatMap(([name, kind]) =>
		list(message[name]).map((data, ordinal) => ({
			id: `${message.id}:${kind}:${ordinal}`,
			kind,
			data,
			time: {},
			call: {},
		})),
	);
	const further = message.type === "shell" ? [cameTo(message)] : attached;
	return [
		first,
		...further.map((item, index) => ({ ...item, position: index + 1 })),
	];
}

/** A compaction that failed has no summary; one that is under way, or that a crash cut off, has an empty one, which nobody said. */
function isSummed({ status, summary }: Message2): boolean {
	return summary !== undefined && !(status === "running" && summary === "");
}

/** What a person's command printed. */
function cameTo({ id, output }: Message2): Omit<Item, "position"> {
	const { output: printed } = object(output);
	return {
		id: `${id}:shell:0`,
		kind: "shell",
		...(typeof printed === "string" && { text: printed }),
		data: {},
		time: {},
		call: {},
	};
}

/** The texts of a tool's output, one per line; none while there is none, and of a picture alone. */
export function textOf(content: Json | undefined): string | null {
	const texts = list(content).filter(({ type }) => type === "text");
	return texts.length === 0 ? null : texts.map(({ text }) => text).join("\n");
}

function list(value: Json | undefined): JsonObject[] {
	return Array.isArray(value) ? value.map(object) : [];
}

function without(value: JsonObject, names: readonly string[]): JsonObject {
	return Object.fromEntries(
		Object.entries(value).filter(([name]) => !names.includes(name)),
	);
}
