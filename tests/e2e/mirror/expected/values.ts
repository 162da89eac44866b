/** Reading what OpenCode answers. */

import type { Json, JsonObject, MessageWithParts } from "../../harness/api.ts";
import type { Claim } from "../claim.ts";

/** Tokens and cost, as a session, a message and a step all spell them. */
export function usageNumbers(holder: JsonObject): Record<string, number> {
	const tokens = object(holder.tokens);
	const cache = object(tokens.cache);
	return {
		prompt_tokens: number(tokens.input),
		completion_tokens: number(tokens.output),
		reasoning_tokens: number(tokens.reasoning),
		cache_read_tokens: number(cache.read),
		cache_write_tokens: number(cache.write),
		cost: number(holder.cost),
	};
}

export function sum(
	messages: readonly MessageWithParts[],
): Record<string, number> {
	const total = usageNumbers({});
	for (const { info } of messages)
		for (const [column, value] of Object.entries(usageNumbers(info)))
			total[column] = (total[column] ?? 0) + value;
	return total;
}

export function each(
	numbers: Readonly<Record<string, number>>,
	claim: (value: number) => Claim,
): Record<string, Claim> {
	return Object.fromEntries(
		Object.entries(numbers).map(([column, value]) => [column, claim(value)]),
	);
}

export function object(value: Json | undefined): JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value)
		? value
		: {};
}

export function number(value: Json | undefined): number {
	return typeof value === "number" ? value : 0;
}

export function difference(
	start: Json | undefined,
	end: Json | undefined,
): number | null {
	return typeof start === "number" && typeof end === "number"
		? end - start
		: null;
}
