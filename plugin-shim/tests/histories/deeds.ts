/** What people, OpenCode and misfortune do in a history, each with how often. */

import type { Flaw } from "./client.ts";
import { partsOf } from "./opencode.ts";
import type { Place } from "./places.ts";
import type { Part, Session } from "./store.ts";
import type { Process, World } from "./world.ts";

interface Deed {
	readonly weight: number;
	/** Does it, where it can be done now. */
	do(world: World): Promise<void> | void;
}

/** A deed of one process, or of any. */
type OnSession = (world: World, process?: Process) => Promise<void>;

const DIRECTORIES = ["/home/user/project", "/home/user/other"] as const;
const MOST_PROCESSES = 3;
const FLAWS: readonly Flaw[] = ["answers no messages", "tells no path"];

/** Deeds of files, and of processes as a whole. */
const OUTSIDE: readonly Deed[] = [
	{ weight: 12, do: start },
	{
		weight: 10,
		do: (world) => {
			const process = world.random.pick(world.running);
			if (process === undefined) return;
			const { place, opencode } = process;
			world.stop(process);
			world.start(place, opencode.directory, true);
		},
	},
	{
		weight: 6,
		do: (world) => {
			const process = world.random.pick(world.running);
			if (process !== undefined) world.stop(process);
		},
	},
	{
		weight: 4,
		do: (world) => {
			const process = world.random.pick(world.running);
			if (process !== undefined) world.kill(process);
		},
	},
	{
		weight: 2,
		do: async (world) => {
			const listening = world.running.filter(({ plugin }) => plugin);
			const process = world.random.pick(listening);
			if (process !== undefined) await world.exitLocked(process);
		},
	},
	{
		weight: 5,
		do: withPlace((from, world) => {
			const to = world.random.pick(othersLike(from, world));
			if (to === undefined) return "";
			world.stopAllAt(to);
			to.copyFrom(from);
			return `is copied to ${to.name}`;
		}),
	},
	{
		weight: 3,
		do: withPlace((one, world) => {
			const others = othersLike(one, world);
			const other = world.random.pick(others.filter(({ exists }) => exists));
			if (other === undefined) return "";
			world.stopAllAt(other);
			one.swapWith(other);
			return `and ${other.name} are exchanged`;
		}),
	},
	{
		weight: 3,
		do: withPlace((place) => {
			place.moveAway();
			return "is moved away";
		}),
	},
	{
		weight: 3,
		do: (world) => {
			const { random, places, deeds } = world;
			const place = random.pick(places.filter(({ isAway }) => isAway));
			if (place === undefined) return;
			world.stopAllAt(place);
			place.moveBack();
			deeds.push(`${place.name} is moved back`);
			maybeStart(place, world);
		},
	},
	{
		weight: 8,
		do: (world) => {
			const place = world.random.pick(existing(world));
			if (place === undefined) return;
			const path = world.newPath("store-copy");
			place.backUp(path);
			world.storeCopies.push({ app: place.app, path });
			world.deeds.push(`${place.name}'s database is copied`);
		},
	},
	{
		weight: 12,
		do: withPlace((place, { random, storeCopies }) => {
			const copy = random.pick(
				storeCopies.filter(({ app }) => app === place.app),
			);
			if (copy === undefined) return "";
			const isInPlace = random.chance(0.6);
			if (isInPlace) place.restoreInPlace(copy.path);
			else place.restoreByRename(copy.path);
			const how = isInPlace ? "over what is there" : "as another file";
			return `gets copy ${storeCopies.indexOf(copy) + 1} of the database, ${how}`;
		}),
	},
	{ weight: 3, do: (world) => world.backUpDatabase() },
	{ weight: 3, do: (world) => world.putBackDatabase() },
	{
		weight: 2,
		do: withPlace((place) => {
			place.deleteNotes();
			return "loses all but the database";
		}),
	},
];

const deleteSession = onSession("deletes", ({ opencode }, { info }) =>
	opencode.deleteSession(info.id),
);
const deleteMessage = onSession(
	"deletes a message of",
	async ({ opencode, plugin }, { info, messages }, { random, ledger }) => {
		const message = random.pick(messages);
		if (message === undefined) return;
		if (plugin === undefined) ledger.unlisted(`message ${message.info.id}`);
		await opencode.deleteMessage(info.id, message.info.id);
	},
);
const deletePart = onSession(
	"deletes a part of",
	async ({ opencode, plugin }, session, { random, ledger }) => {
		const part: Part | undefined = random.pick(partsOf(session));
		if (part === undefined) return;
		if (plugin === undefined) ledger.unlisted(`part ${part.id}`);
		await opencode.deletePart(part);
	},
);
const DELETIONS: readonly OnSession[] = [
	deleteSession,
	deleteMessage,
	deletePart,
];

/** Deeds of a running OpenCode. */
const INSIDE: readonly Deed[] = [
	{
		weight: 10,
		do: acting("begins a session and a turn", async ({ opencode }) => {
			await opencode.turn(await opencode.create());
		}),
	},
	{
		weight: 16,
		do: onSession("takes a turn in", ({ opencode }, { info }) =>
			opencode.turn(info.id),
		),
	},
	{
		weight: 4,
		do: onSession("starts a sub-agent of", async ({ opencode }, { info }) => {
			await opencode.turn(await opencode.create(info.id));
		}),
	},
	{
		weight: 8,
		do: onSession(
			"takes a turn in",
			({ opencode }, { info }) => opencode.turn(info.id),
			(world) => world.random.between(1, 25),
		),
	},
	{
		weight: 5,
		do: onSession(
			"reverts",
			async ({ opencode }, { info, messages }, { random }) => {
				const from = random.pick(messages);
				if (from === undefined) return;
				await opencode.revert(info.id, from.info.id);
				if (random.chance(0.7)) await opencode.turn(info.id);
				else if (random.chance(0.5)) await opencode.unrevert(info.id);
			},
		),
	},
	{ weight: 6, do: deleteSession },
	{ weight: 4, do: deleteMessage },
	{ weight: 3, do: deletePart },
	{ weight: 6, do: regret },
	{
		weight: 4,
		do: onSession("forks", ({ opencode }, { info }) => opencode.fork(info.id)),
	},
	{
		weight: 5,
		do: onSession("renames", ({ opencode }, { info }) =>
			opencode.rename(info.id),
		),
	},
	{
		weight: 2,
		do: onSession("archives", ({ opencode }, { info }) =>
			opencode.archive(info.id),
		),
	},
];

/** Does something. Half of it happens in a running OpenCode, where there is one. */
export async function doSomething(world: World): Promise<void> {
	if (world.running.length === 0 && world.random.chance(0.6)) {
		start(world);
		return;
	}
	const isInside = world.running.length > 0 && world.random.chance(0.6);
	const deeds = isInside ? INSIDE : OUTSIDE;
	let left = world.random.between(
		1,
		deeds.reduce((sum, { weight }) => sum + weight, 0),
	);
	for (const deed of deeds) {
		left -= deed.weight;
		if (left <= 0) {
			await deed.do(world);
			return;
		}
	}
}

function existing({ places }: World): Place[] {
	return places.filter(({ exists }) => exists);
}

function othersLike(one: Place, { places }: World): Place[] {
	return places.filter((other) => other !== one && other.app === one.app);
}

/** Something done to a data folder while nothing runs there. The answer says what; nothing where it could not be done. */
function withPlace(work: (place: Place, world: World) => string): Deed["do"] {
	return (world) => {
		const place = world.random.pick(existing(world));
		if (place === undefined) return;
		world.stopAllAt(place);
		const deed = work(place, world);
		if (deed === "") return;
		world.deeds.push(`${place.name} ${deed}`);
		maybeStart(place, world);
	};
}

/** What was done to a data folder is seen by who starts there next. */
function maybeStart(place: Place, world: World): void {
	if (world.random.chance(0.6)) startAt(place, world);
}

function start(world: World): void {
	const { random, places } = world;
	const place = random.pick(random.chance(0.7) ? existing(world) : places);
	if (place !== undefined) startAt(place, world);
}

function startAt(place: Place, world: World): void {
	const { random, running } = world;
	if (running.length >= MOST_PROCESSES) return;
	const directory = DIRECTORIES[random.chance(0.9) ? 0 : 1];
	const flaw = random.chance(0.05) ? random.pick(FLAWS) : undefined;
	world.start(place, directory, random.chance(0.75), flaw);
}

/** A person copies the database, deletes something, works on perhaps, and puts the copy back. */
async function regret(world: World): Promise<void> {
	const { random, running, deeds } = world;
	const process = random.pick(running);
	if (process === undefined) return;
	const { place } = process;
	const path = world.newPath("store-copy");
	place.backUp(path);
	world.storeCopies.push({ app: place.app, path });
	deeds.push(`${place.name}'s database is copied, to be put back soon`);
	const deletion = random.pick(DELETIONS);
	await deletion?.(world, process);
	if (random.chance(0.5)) await world.settle();
	world.stopAllAt(place);
	const isInPlace = random.chance(0.7);
	if (isInPlace) place.restoreInPlace(path);
	else place.restoreByRename(path);
	deeds.push(
		`${place.name} gets it back, ${isInPlace ? "over what is there" : "as another file"}`,
	);
	maybeStart(place, world);
}

function acting(
	what: string,
	work: (process: Process, world: World) => Promise<void>,
): Deed["do"] {
	return async (world) => {
		const process = world.random.pick(world.running);
		if (process !== undefined)
			await world.act(process, what, () => work(process, world));
	};
}

/** Something done to a session that the process has, of its directory. */
function onSession(
	what: string,
	work: (process: Process, session: Session, world: World) => Promise<void>,
	killedAfter?: (world: World) => number,
): OnSession {
	return async (world, process = world.random.pick(world.running)) => {
		if (process === undefined) return;
		const { opencode } = process;
		const sessions = opencode.store.sessions();
		const session = world.random.pick(
			sessions.filter(({ info }) => info.directory === opencode.directory),
		);
		if (session === undefined) return;
		await world.act(
			process,
			`${what} ${session.info.id}`,
			() => work(process, session, world),
			killedAfter?.(world),
		);
	};
}
