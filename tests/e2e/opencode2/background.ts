/** What ends in the background is told to the model: in a turn of its own, or in the one that still runs. */

import { until } from "../harness/poll.ts";
import type { Api2 } from "./api.ts";

/** Waits until it was told, and the turn in which it was told is over. */
export async function untilTold(api: Api2, session: string): Promise<void> {
	await until("the end of what is in the background", async () => {
		await api.wait(session);
		const types = (await api.messages(session)).map(({ type }) => type);
		const told = types.indexOf("synthetic");
		return told >= 0 && types.includes("idle", told);
	});
}
