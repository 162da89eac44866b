/** What the two OpenCodes answer of one home, put together: each message once, as the one answers it that wrote it. */

import { createHash } from "node:crypto";
import type {
	Api,
	JsonObject,
	MessageWithParts,
	SessionInfo,
} from "../harness/api.ts";
import { type Claim, is } from "../mirror/claim.ts";
import { withDatabase } from "../mirror/database.ts";
import { messageRows } from "../mirror/expected/message.ts";
import type { ExpectedRow } from "../mirror/expected/row.ts";
import { number, object } from "../mirror/expected/values.ts";
import { Witness } from "../mirror/truth.ts";
import {
	makesRow,
	messageRows as messageRows2,
} from "../mirror2/expected/message.ts";
import type { Api2, Message2, Session2 } from "../opencode2/api.ts";
import type { House } from "./house.ts";

export interface Truth {
	readonly rows: readonly ExpectedRow[];
	/** The sessions, by their ids. */
	readonly sessions: ReadonlySet<string>;
	/** What all answers cost that are there still, the copies of forks left out. */
	readonly cost: number;
}

/** Asks both, with nobody recording. */
export async function truthOf(house: House): Promise<Truth> {
	house.moveTo("none");
	const [one, two] = [await house.serveOne(), await house.serveTwo()];
	const truth = put(
		house.store,
		await answersOf(one.api),
		await answersOf2(two.api),
	);
	await house.stop(one, two);
	return truth;
}

type Answers = Map<string, [SessionInfo, readonly MessageWithParts[]]>;
type Answers2 = Map<string, [Session2, readonly Message2[]]>;

async function answersOf(api: Api): Promise<Answers> {
	const { sessions } = await new Witness().truth(api);
	return new Map(
		sessions.map(({ session, messages }) => [session.id, [session, messages]]),
	);
}

async function answersOf2(api: Api2): Promise<Answers2> {
	const found: Answers2 = new Map();
	for (const session of await api.sessions())
		found.set(session.id, [session, await api.messages(session.id)]);
	return found;
}

function put(store: string, one: Answers, two: Answers2): Truth {
	const rows: ExpectedRow[] = [];
	let cost = 0;
	const createdAt = new Map<string, unknown>();
	for (const [session] of one.values())
		createdAt.set(session.id, object(session.time).created);
	const seqs = seqsOf(store);
	for (const id of new Set([...one.keys(), ...two.keys()])) {
		const [session, messages] = one.get(id) ?? [undefined, []];
		const [session2, all] = two.get(id) ?? [undefined, []];
		const ids = messages.map(({ info }) => info.id);
		const known = new Set([...ids, ...ids.map(derived)]);
		const own = all.filter((message) => !known.has(message.id));
		for (const message of messages) {
			const made = messageRows(message, { createdAt, unanswered: {} });
			const place = is(seqs[message.info.id]);
			const isKnown = own.length > 0;
			rows.push(...made.map((row) => placed(row, place, isKnown)));
			if (session && !isOlder(message.info, session))
				cost += number(message.info.cost ?? 0);
		}
		for (const message of own) {
			if (!session2 || !makesRow(message)) continue;
			rows.push(...messageRows2(message, all, { session: session2, seqs }));
			if (!isOlder(message, session2)) cost += number(message.cost ?? 0);
		}
	}
	return { rows, sessions: new Set([...one.keys(), ...two.keys()]), cost };
}

/** A fork's copies keep the time of what they copy. */
function isOlder(message: JsonObject, session: JsonObject): boolean {
	const created = ({ time }: JsonObject): number =>
		number(object(time).created);
	return created(message) < created(session);
}

/** OpenCode 2 numbers what it takes over. Till it is gone on with, it depends on who reads it whether that is known. */
function placed(row: ExpectedRow, place: Claim, isKnown: boolean): ExpectedRow {
	if (row.table !== "messages") return row;
	const either: Claim = {
		expected: place.expected,
		holds: (found) => found === null || place.holds(found),
	};
	const position = isKnown ? place : either;
	return { ...row, cells: { ...row.cells, position } };
}

function seqsOf(store: string): Record<string, number> {
	return withDatabase(store, (open) =>
		Object.fromEntries(
			open
				.query<{ id: string; seq: number }, []>(
					"SELECT id, seq FROM session_message",
				)
				.all()
				.map(({ id, seq }) => [id, seq]),
		),
	);
}

const LETTERS =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The id of the message that OpenCode 2 makes of the synthetic texts beside a person's words. */
function derived(id: string): string {
	const hash = createHash("sha256").update(`v1-synthetic:${id}`).digest("hex");
	let rest = BigInt(`0x${hash}`);
	let made = "";
	while (made.length < 14) {
		made = LETTERS[Number(rest % 62n)] + made;
		rest /= 62n;
	}
	return id.slice(0, 16) + made;
}
