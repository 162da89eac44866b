/** One history, from its seed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { doSomething } from "./deeds.ts";
import type { Ledger } from "./ledger.ts";
import { World } from "./world.ts";

const LEAST_DEEDS = 30;
const MOST_DEEDS = 80;

/** Plays the history of a seed to its end, or to the first fault. Answers what happened in it. */
export async function play(seed: number): Promise<Ledger["counts"]> {
	const root = mkdtempSync(join(tmpdir(), "clankers-history-"));
	const world = new World(root, seed);
	try {
		await live(world);
		const { faults, counts } = world.ledger;
		if (faults.length > 0)
			throw new Error(
				[
					`history ${seed}:`,
					...world.deeds,
					...faults.map((fault) => `! ${fault}`),
				].join("\n  "),
			);
		return counts;
	} finally {
		world.end();
		rmSync(root, { recursive: true });
	}
}

async function live(world: World): Promise<void> {
	const { random, ledger, time } = world;
	for (let left = random.between(LEAST_DEEDS, MOST_DEEDS); left > 0; left--) {
		await doSomething(world);
		if (random.chance(0.7)) await world.settle();
		else await time.pass(random.between(0, 1500));
		if (ledger.faults.length > 0) return;
	}
	await world.settle();
}
