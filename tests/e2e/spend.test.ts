/** True spend: what was paid stays in the ledger, whatever is done to the conversation afterwards. */

import { expect, test } from "bun:test";
import type { Api } from "./harness/api.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { rulesFor } from "./mirror/expected/rules.ts";
import { describeReport, settledMirror } from "./mirror.ts";
import { openStage } from "./scenario/play.ts";

/** The newest release, which reports totals, and an old one, which does not. */
const RELEASES = [PINNED_RELEASE, "1.0.61"];

interface Figures {
	/** What the model's server billed. */
	readonly billed: number;
	/** The sum of what OpenCode said that each turn cost, when it had ended. */
	readonly spent: number;
	/** The sum of what OpenCode says of its sessions. */
	readonly openCode: number;
	/** What a tool makes of it that adds up the answers that OpenCode has. */
	readonly naive: number;
	/** The ledger's sum, the inherited rows left out. */
	readonly ours: number;
}

test.each(RELEASES)(
	"the ledger keeps what was spent through fork, revert, archive and delete: %s",
	async (release) => {
		const steps = await play(release);
		console.table(steps);
		for (const [doing, { spent, billed, ours }] of Object.entries(steps)) {
			expect([doing, ours]).toEqual([doing, spent]);
			// Release 1.0 counts cached input twice; what it says is what is kept.
			if (release === PINNED_RELEASE) expect(spent).toBe(billed);
		}
		const { chat, fork, revert, remove } = steps as Record<string, Figures>;
		if (!chat || !fork || !revert || !remove)
			throw new Error("a step is missing");
		// A fork doubles the naive sum, and nothing was paid for it.
		expect(fork.spent).toBe(chat.spent);
		expect(fork.naive).toBeGreaterThan(chat.naive);
		// A revert and a delete lower it, and nothing was paid back.
		expect(revert.spent).toBeGreaterThan(fork.spent);
		expect(remove.naive).toBeLessThan(revert.naive);
		expect(remove.openCode).toBeLessThan(remove.ours);
	},
	600_000,
);

async function play(release: string): Promise<Record<string, Figures>> {
	return await inWorld(
		{ release },
		async ({ home, model, database, serve }) => {
			const stage = await openStage(home, model, await serve());
			const { api, witness } = stage;
			const figures: Record<string, Figures> = {};
			let spent = 0;
			const turn = async (session: string, prompt: string): Promise<void> => {
				model.script(prompt, say("An answer that costs something."));
				const { info } = await api.prompt(session, prompt);
				spent += Number(info.cost);
			};
			const note = async (doing: string): Promise<void> => {
				const report = await settledMirror(
					database,
					witness,
					[api],
					rulesFor(release),
				);
				expect(describeReport(report)).toBe(
					`${report.checks} of ${report.checks} checks held`,
				);
				figures[doing] = rounded({
					billed: model.bill,
					spent,
					...(await reported(api)),
					ours: ledger(database),
				});
			};

			const session = await api.createSession({ title: "What it costs" });
			await turn(session.id, "The first question.");
			await turn(session.id, "The second question.");
			await note("chat");

			const fork = await api.fork(session.id);
			await note("fork");

			await witness.see(api, session.id);
			const asked = (await api.messages(session.id)).filter(
				({ info }) => info.role === "user",
			);
			await api.revert(session.id, String(asked[1]?.info.id));
			await turn(session.id, "Another second question.");
			await note("revert");

			await api.archive(session.id, 1_795_000_000_000);
			await note("archive");

			await witness.see(api, session.id);
			await witness.see(api, fork.id);
			await api.remove(fork.id);
			await api.remove(session.id);
			await note("remove");
			stage.bus.close();
			return figures;
		},
	);
}

async function reported(
	api: Api,
): Promise<Pick<Figures, "openCode" | "naive">> {
	let openCode = 0;
	let naive = 0;
	for (const session of await api.sessions()) {
		const answers = await api.messages(session.id);
		const sum = answers.reduce(
			(total, { info }) => total + Number(info.cost ?? 0),
			0,
		);
		naive += sum;
		openCode += typeof session.cost === "number" ? session.cost : sum;
	}
	return { openCode, naive };
}

function ledger(database: string): number {
	return withDatabase(database, (open) => {
		const [row] = open
			.query<{ cost: number | null }, []>(
				"SELECT sum(cost) AS cost FROM usage_by_model",
			)
			.all();
		return row?.cost ?? 0;
	});
}

function rounded(figures: Figures): Figures {
	const round = (value: number): number => Math.round(value * 1e9) / 1e9;
	const { billed, spent, openCode, naive, ours } = figures;
	return {
		billed: round(billed),
		spent: round(spent),
		openCode: round(openCode),
		naive: round(naive),
		ours: round(ours),
	};
}
