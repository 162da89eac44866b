/** The client that a simulated OpenCode hands to its plugins: what it reads is the store as it is then. */
import type { HostClient, Level } from "../../src/hosts/host-log.ts";
import type { SessionClient } from "../../src/hosts/opencode1.ts";
import { pageOf } from "../support/pages.ts";
import type { OpenCode } from "./opencode.ts";

/** How a process answers otherwise than in full. */
export type Flaw = "answers no messages" | "tells no path";

/** A line of OpenCode's log. */
export interface Line {
	readonly level: Level;
	readonly message: string;
}

const NOT_FOUND = {
	error: { name: "NotFoundError" },
	response: { status: 404 },
};
/** 1.18.34 answers so where one message is not as its schema has it. */
const BAD_REQUEST = {
	error: { name: "BadRequest" },
	response: { status: 400 },
};

export function clientOf(
	{ store, directory }: OpenCode,
	/** Where it keeps its state: `…/opencode` or `…/kilo`. */
	stateFolder: string,
	flaw: Flaw | undefined,
	log: Line[],
): HostClient & Required<SessionClient> {
	const messagesOf = (id: string) => store.session(id)?.messages;
	return {
		app: { log: async ({ body }) => void log.push(body) },
		tui: { showToast: async () => {} },
		path: {
			get: async () => {
				if (flaw === "tells no path") return { response: { status: 500 } };
				const config = stateFolder.replace("/state/", "/config/");
				return found({ state: stateFolder, config, worktree: "/", directory });
			},
		},
		session: {
			list: async () =>
				found(
					store
						.sessions()
						.map(({ info }) => info)
						.filter((info) => info.directory === directory)
						.sort((one, other) => other.time.updated - one.time.updated),
				),
			get: async ({ path: { id } }) => found(store.session(id)?.info),
			messages: async ({ path: { id }, query }) => {
				if (flaw === "answers no messages") return BAD_REQUEST;
				const all = messagesOf(id);
				return all === undefined ? NOT_FOUND : pageOf(all, query);
			},
			message: async ({ path: { id, messageID } }) =>
				found(messagesOf(id)?.find(({ info }) => info.id === messageID)),
			todo: async ({ path: { id } }) => found(messagesOf(id) && []),
		},
	};
}

function found(data: unknown): object {
	return data === undefined ? NOT_FOUND : { data, response: { status: 200 } };
}
