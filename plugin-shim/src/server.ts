/**
 * The package's `./server` entry: what later releases look for first, and the
 * only shape that 2.x takes. It exports this object and nothing else.
 */
import type { BusEvent } from "./hosts/host.ts";
import type { Hooks, Plugin } from "./hosts/opencode1.ts";
import plugin from "./index.ts";

/** The little of 2.x's plugin context that clankers uses. */
export interface Context {
	readonly options?: Record<string, unknown>;
	readonly event?: { subscribe?(): AsyncIterable<BusEvent> };
}

/** The module's shape: 1.x calls `server`, 2.x calls `setup`. */
export interface Server {
	readonly id: string;
	readonly server: Plugin;
	/** Starts recording where there is an event stream; the answer ends it. */
	setup(context?: Context): (() => Promise<void>) | undefined;
}

const server: Server = {
	id: "opencode-clankers",
	server: plugin,
	setup(context) {
		const subscribe = context?.event?.subscribe;
		// Some 1.x releases call `setup` as well, without a stream of events.
		if (typeof subscribe !== "function") return undefined;
		const hooks = plugin({}, context?.options);
		const events = follow(() => subscribe.call(context?.event), hooks);
		return async () => {
			events.end();
			await (await hooks).dispose?.();
		};
	},
};

export default server;

/** Hands each event of the stream to the hook, until the stream or we end it. */
function follow(
	open: () => AsyncIterable<BusEvent>,
	hooks: Promise<Hooks>,
): { end(): void } {
	let stream: AsyncIterator<BusEvent> | undefined;
	const pump = async (): Promise<void> => {
		stream = open()[Symbol.asyncIterator]();
		const { event: hook } = await hooks;
		for (let next = await stream.next(); !next.done; next = await stream.next())
			hook?.({ event: next.value });
	};
	// A stream that breaks ends the recording and nothing else.
	pump().catch(() => {});
	return {
		end: () => {
			Promise.resolve(stream?.return?.()).catch(() => {});
		},
	};
}
