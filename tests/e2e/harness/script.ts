/** What the scripted model answers: plain data, so that a scenario reads as a screenplay. */

export interface ToolCall {
	readonly name: string;
	readonly input: Readonly<Record<string, unknown>>;
}

/** One answer of the model, that is, one step of OpenCode's loop. */
export interface Reply {
	readonly thought?: string;
	readonly text?: string;
	readonly calls?: readonly ToolCall[];
	/** Answer with this HTTP status instead. */
	readonly status?: number;
	/** The provider's own name for that failure; the status where nothing is said. */
	readonly code?: string;
	/** Close the connection before a word of an answer. */
	readonly dropped?: boolean;
	/** How often this reply is given before the script goes on to the next one: for retries. */
	readonly times?: number;
	/** What becomes of the stream after its text: it ends well, it ends without saying so, the connection drops, or it hangs until the client leaves. */
	readonly ending?: "complete" | "short" | "cut" | "hang";
	/** Why the provider says that it stopped, where that is not the usual. */
	readonly finish?: string;
	/** How many tokens the provider counts in the prompt, where a test needs a number. */
	readonly promptTokens?: number;
	/** How many pieces each text comes in; 4 where nothing is said. */
	readonly chunks?: number;
	/** Milliseconds between two chunks. */
	readonly pace?: number;
}

export function say(text: string): Reply {
	return { text };
}

export function think(thought: string, text: string): Reply {
	return { thought, text };
}

export function call(
	name: string,
	input: Readonly<Record<string, unknown>>,
): Reply {
	return { calls: [{ name, input }] };
}

/** Several calls in one step, which OpenCode runs side by side. */
export function calls(
	...made: readonly (readonly [
		name: string,
		input: Readonly<Record<string, unknown>>,
	])[]
): Reply {
	return { calls: made.map(([name, input]) => ({ name, input })) };
}

/** A question to the person: red or blue? */
export function ask(about: string): Reply {
	return call("question", {
		questions: [
			{
				question: `Which ${about}?`,
				header: about,
				options: [
					{ label: "Red", description: "warm" },
					{ label: "Blue", description: "cold" },
				],
			},
		],
	});
}

/** A provider that refuses: for ever, or `times` times. */
export function fail(status: number, times?: number): Reply {
	return times === undefined ? { status } : { status, times };
}

/** A provider that cannot be reached, once. */
export function drop(): Reply {
	return { dropped: true, times: 1 };
}

/** Words that arrive, after which the connection drops: once, since OpenCode may try again. */
export function cut(text: string): Reply {
	return { text, ending: "cut", times: 1 };
}

/** Words that arrive, after which the stream ends with neither a reason nor usage. */
export function short(text: string): Reply {
	return { text, ending: "short", times: 1 };
}

/** Words that arrive, after which nothing more does: for aborts and kills. */
export function hang(text: string): Reply {
	return { text, ending: "hang" };
}

export interface Usage {
	readonly prompt_tokens: number;
	readonly completion_tokens: number;
	readonly total_tokens: number;
	readonly prompt_tokens_details: { readonly cached_tokens: number };
	readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** Token counts that follow from the words alone, so that a run can be repeated; all five kinds but cache writes are non-zero. */
export function usageOf(reply: Reply, promptMessages: number): Usage {
	const reasoning = words(reply.thought ?? "");
	const visible =
		words(reply.text ?? "") +
		(reply.calls ?? []).reduce(
			(sum, made) => sum + words(JSON.stringify(made.input)),
			0,
		);
	const prompt = reply.promptTokens ?? 1000 + 10 * promptMessages;
	const completion = visible + reasoning + 1;
	return {
		prompt_tokens: prompt,
		completion_tokens: completion,
		total_tokens: prompt + completion,
		prompt_tokens_details: { cached_tokens: 200 },
		completion_tokens_details: { reasoning_tokens: reasoning },
	};
}

function words(text: string): number {
	return text.split(/\s+/).filter(Boolean).length;
}
