/** A language model that says what a test wrote down: an OpenAI-compatible server on loopback, streaming as providers do. */

import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { LARGE_MODEL, PRICE, SMALL_MODEL, SMALL_PRICE } from "./home.ts";
import { type Reply, say, type Usage, usageOf } from "./script.ts";

interface ChatMessage {
	readonly role: string;
	readonly content?: unknown;
}

interface ChatRequest {
	readonly model?: string;
	readonly stream?: boolean;
	readonly messages: readonly ChatMessage[];
	readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/** What the provider asks for one answer. */
export interface Charge {
	readonly model: string;
	/** What was answered. */
	readonly words: string;
	/** Dollars. */
	readonly cost: number;
	/** Whether the stream came to its end, where the provider says what it counted. */
	readonly isTold: boolean;
}

const PRICES: Readonly<Record<string, Partial<typeof PRICE>>> = {
	[LARGE_MODEL]: PRICE,
	[SMALL_MODEL]: SMALL_PRICE,
};
const TITLE = say("A scripted title");
const SUMMARY = say(
	"## Goal\nA scripted summary of the conversation so far.\n\n## Next\nCarry on.",
);
/** OpenCode 2 takes a summary only with the headings of its template. */
const SUMMARY_2 = say(
	"## Objective\n- A scripted summary of the conversation so far.\n\n## Work State\n### Completed\n- The talk.\n\n## Next Move\n1. Carry on.",
);
const UNSCRIPTED = say("Understood.");
/** How OpenCode 2 begins the template of a summary. */
const TEMPLATE = "You MUST use this format for your response";
const CHUNKS = 4;

export class ScriptedModel {
	readonly requests: ChatRequest[] = [];
	/** The provider's bill, answer by answer. */
	readonly charges: Charge[] = [];
	private readonly scripts: {
		readonly prompt: string;
		readonly replies: readonly Reply[];
	}[] = [];
	private readonly titles = new Map<string, string>();
	private readonly given = new Map<Reply, number>();
	private readonly server: Server;
	/** What OpenCode 2 gets for a summary, where a test says so. */
	summary: Reply | undefined;
	private hanging = 0;
	private calls = 0;

	private constructor() {
		this.server = createServer((request, response) => {
			this.handle(request, response).catch(() => response.destroy());
		});
	}

	static async start(): Promise<ScriptedModel> {
		const model = new ScriptedModel();
		await new Promise<void>((resolve) =>
			model.server.listen(0, "127.0.0.1", resolve),
		);
		return model;
	}

	get baseURL(): string {
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
	}

	/** What the large model's answers that came to their end cost so far, in dollars. */
	get bill(): number {
		return this.charges
			.filter(({ model, isTold }) => isTold && model === LARGE_MODEL)
			.reduce((sum, { cost }) => sum + cost, 0);
	}

	/** Streams that have said their words and hang now. */
	get hangingStreams(): number {
		return this.hanging;
	}

	/**
	 * Answers a user message that contains `prompt` with `replies`, one per step; after the last one, "Understood." A
	 * prompt that is scripted again is answered anew.
	 */
	script(prompt: string, ...replies: readonly Reply[]): string {
		this.scripts.push({ prompt, replies });
		return prompt;
	}

	/** The prompts that never came. */
	get unheard(): string[] {
		return this.scripts
			.filter(({ replies }) => !replies.some((reply) => this.given.has(reply)))
			.map(({ prompt }) => prompt);
	}

	/** Titles a session that begins with `prompt`. */
	title(prompt: string, title: string): void {
		this.titles.set(prompt, title);
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise<void>((resolve) => this.server.close(() => resolve()));
	}

	private async handle(
		request: IncomingMessage,
		response: ServerResponse,
	): Promise<void> {
		const body = await text(request);
		if (!request.url?.endsWith("/chat/completions")) {
			response.writeHead(404).end();
			return;
		}
		const chat = JSON.parse(body) as ChatRequest;
		this.requests.push(chat);
		const reply = this.replyTo(chat);
		this.given.set(reply, (this.given.get(reply) ?? 0) + 1);
		if (reply.dropped) response.destroy();
		else if (reply.status !== undefined)
			refuse(reply.status, response, reply.code);
		else if (chat.stream) await this.stream(chat, reply, response);
		else this.complete(chat, reply, response);
	}

	private replyTo(chat: ChatRequest): Reply {
		const system = chat.messages
			.filter((message) => message.role === "system")
			.map(contentOf)
			.join("\n")
			.slice(0, 400);
		if (/title generator|generate a (short|brief) title/i.test(system))
			return this.titleOf(chat);
		if (chat.messages.some((message) => contentOf(message).includes(TEMPLATE)))
			return this.summary ?? SUMMARY_2;
		if (/summariz/i.test(system)) return SUMMARY;
		const last = chat.messages.findLastIndex(
			(message) => message.role === "user",
		);
		const asked = last < 0 ? "" : contentOf(chat.messages[last] as ChatMessage);
		// Kilo keeps its own system prompt when it has a conversation summarised.
		if (/create a new anchored summary/i.test(asked)) return SUMMARY;
		const steps = chat.messages
			.slice(last + 1)
			.filter((message) => message.role === "assistant").length;
		const matching = this.scripts
			.toReversed()
			.filter((script) => asked.includes(script.prompt));
		const script = matching.sort(
			(a, b) => b.prompt.length - a.prompt.length,
		)[0];
		const due = script?.replies.filter(
			(reply) =>
				(this.given.get(reply) ?? 0) <
				(reply.times ?? Number.POSITIVE_INFINITY),
		);
		return due?.[steps] ?? UNSCRIPTED;
	}

	private titleOf({ messages }: ChatRequest): Reply {
		const asked = messages.map(contentOf).join("\n");
		for (const [prompt, title] of this.titles)
			if (asked.includes(prompt)) return say(title);
		return TITLE;
	}

	private charge(chat: ChatRequest, reply: Reply, isTold = true): Usage {
		const usage = usageOf(reply, chat.messages.length);
		const cached = usage.prompt_tokens_details.cached_tokens;
		const model = chat.model ?? LARGE_MODEL;
		const { input = 0, output = 0, cache_read = 0 } = PRICES[model] ?? {};
		const cost =
			((usage.prompt_tokens - cached) * input +
				cached * cache_read +
				usage.completion_tokens * output) /
			1_000_000;
		this.charges.push({ model, words: reply.text ?? "", cost, isTold });
		return usage;
	}

	private complete(
		chat: ChatRequest,
		reply: Reply,
		response: ServerResponse,
	): void {
		response.writeHead(200, { "content-type": "application/json" });
		response.end(
			JSON.stringify({
				...envelope(chat, "chat.completion"),
				choices: [
					{
						index: 0,
						message: { role: "assistant", content: reply.text ?? "" },
						finish_reason: "stop",
					},
				],
				usage: this.charge(chat, reply),
			}),
		);
	}

	private async stream(
		chat: ChatRequest,
		reply: Reply,
		response: ServerResponse,
	): Promise<void> {
		const send = (choice: object, usage?: object): void => {
			const chunk = {
				...envelope(chat, "chat.completion.chunk"),
				choices: [{ index: 0, finish_reason: null, delta: {}, ...choice }],
				...(usage && { usage }),
			};
			response.write(`data: ${JSON.stringify(chunk)}\n\n`);
		};
		const speak = async (field: string, words: string): Promise<void> => {
			for (const piece of pieces(words, reply.chunks)) {
				send({ delta: { [field]: piece } });
				await pause(reply.pace ?? 5);
			}
		};
		response.writeHead(200, { "content-type": "text/event-stream" });
		send({ delta: { role: "assistant", content: "" } });
		await speak("reasoning_content", reply.thought ?? "");
		await speak("content", reply.text ?? "");
		if (reply.ending !== undefined && reply.ending !== "complete")
			this.charge(chat, reply, false);
		if (reply.ending === "cut") {
			response.destroy();
			return;
		}
		if (reply.ending === "short") {
			response.end();
			return;
		}
		if (reply.ending === "hang") {
			this.hanging += 1;
			await new Promise<void>((resolve) => response.once("close", resolve));
			this.hanging -= 1;
			return;
		}
		for (const [index, made] of (reply.calls ?? []).entries()) {
			this.calls += 1;
			const args = JSON.stringify(made.input);
			send({
				delta: {
					tool_calls: [
						{
							index,
							id: `call_${this.calls}`,
							type: "function",
							function: { name: made.name, arguments: "" },
						},
					],
				},
			});
			for (const piece of pieces(args))
				send({
					delta: { tool_calls: [{ index, function: { arguments: piece } }] },
				});
		}
		send(
			{ finish_reason: reply.finish ?? (reply.calls ? "tool_calls" : "stop") },
			this.charge(chat, reply),
		);
		response.end("data: [DONE]\n\n");
	}
}

function refuse(
	status: number,
	response: ServerResponse,
	code: string | number = status,
): void {
	response.writeHead(status, { "content-type": "application/json" });
	response.end(
		JSON.stringify({
			error: {
				message: `scripted failure ${status}`,
				type: "scripted",
				code,
			},
		}),
	);
}

function envelope(chat: ChatRequest, object: string): object {
	return {
		id: "chatcmpl-scripted",
		object,
		created: 1_700_000_000,
		model: chat.model ?? "scripted",
	};
}

function contentOf(message: ChatMessage): string {
	if (typeof message.content === "string") return message.content;
	if (!Array.isArray(message.content)) return "";
	return message.content
		.map((part: { text?: unknown }) =>
			typeof part.text === "string" ? part.text : "",
		)
		.join("\n");
}

function pieces(text: string, chunks = CHUNKS): string[] {
	const size = Math.max(1, Math.ceil(text.length / chunks));
	return text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
}

function pause(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function text(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString("utf8");
}
