/** What must hold of one cell of the database. */

export type Cell = string | number | null;

export interface Claim {
	/** What is expected, for people. */
	readonly expected: string;
	holds(found: Cell): boolean;
}

/** Exactly this value; what OpenCode leaves out is NULL. */
export function is(value: unknown): Claim {
	const cell =
		typeof value === "string" || typeof value === "number" ? value : null;
	return { expected: show(cell), holds: (found) => found === cell };
}

/** This number, give or take what adding in another order changes. */
export function about(value: number): Claim {
	return between(value, value);
}

export function between(low: number, high: number): Claim {
	return {
		expected: low === high ? show(low) : `${low} to ${high}`,
		holds: (found) =>
			typeof found === "number" && found >= low - 1e-9 && found <= high + 1e-9,
	};
}

/** JSON text of this value, its keys in any order; an object may have those of `besides` too. */
export function json(value: unknown, besides: readonly string[] = []): Claim {
	const expected = canonical(without(besides, value));
	return {
		expected,
		holds: (found) => {
			if (typeof found !== "string") return false;
			try {
				return canonical(without(besides, JSON.parse(found))) === expected;
			} catch {
				return false;
			}
		},
	};
}

/** A text that begins so: for one that was cut off. */
export function beginsWith(text: string): Claim {
	return lines([{ text, isCutOff: true }]);
}

/** Texts, one per line, of which those that were cut off may go on. */
export function lines(
	texts: readonly { readonly text: string; readonly isCutOff: boolean }[],
): Claim {
	const pattern = texts
		.map(({ text, isCutOff }) => RegExp.escape(text) + (isCutOff ? "[^]*" : ""))
		.join("\n");
	const whole = new RegExp(`^${pattern}$`);
	const joined = show(texts.map(({ text }) => text).join("\n"));
	const isExact = texts.every(({ isCutOff }) => !isCutOff);
	return {
		expected: isExact ? joined : `${joined}, perhaps longer`,
		holds: (found) => typeof found === "string" && whole.test(found),
	};
}

/** Any time: for what OpenCode does not say when. */
export const sometime: Claim = {
	expected: "a time",
	holds: (found) => typeof found === "number" && found > 1_500_000_000_000,
};

export function show(cell: Cell | undefined): string {
	return cell === undefined ? "no such column" : JSON.stringify(cell);
}

function without(keys: readonly string[], value: unknown): unknown {
	if (typeof value !== "object" || value === null || Array.isArray(value))
		return value;
	return Object.fromEntries(
		Object.entries(value).filter(([key]) => !keys.includes(key)),
	);
}

function canonical(value: unknown): string {
	return JSON.stringify(value, (_, inner: unknown) =>
		typeof inner === "object" && inner !== null && !Array.isArray(inner)
			? Object.fromEntries(
					Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)),
				)
			: inner,
	);
}
