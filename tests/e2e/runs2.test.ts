/** `opencode run` of OpenCode 2, whose process ends with its turn: what only OpenCode can be asked for is there all the same. */

import { expect, test } from "bun:test";
import { ScriptedModel } from "./harness/model.ts";
import { databaseOf, pluginByFolder } from "./harness/plugin.ts";
import { OPENCODE_2_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { withDatabase } from "./mirror/database.ts";
import { Home2 } from "./opencode2/home.ts";
import { runStandalone } from "./opencode2/server.ts";

test("a run that ends before the plugin would have asked leaves its session whole", async () => {
	const model = await ScriptedModel.start();
	const home = new Home2({
		modelURL: model.baseURL,
		plugins: [pluginByFolder()],
	});
	try {
		model.script("Say hello.", { ...say("Hello."), chunks: 1, pace: 0 });
		const { code, output } = await runStandalone(home, "Say hello.");
		expect(code, output).toBe(0);
		const [sessions, undated] = withDatabase(databaseOf(home), (open) => [
			open
				.query(
					`SELECT project_path AS path, project_name AS name,
						source_version AS release, created_at > 0 AS isDated,
						whole_at IS NOT NULL AS isWhole
						FROM sessions JOIN session_own ON session_own.session_id = sessions.id`,
				)
				.all(),
			open.query("SELECT * FROM usage WHERE at IS NULL").all(),
		]);
		expect(sessions).toEqual([
			{
				path: home.project,
				name: "project",
				release: OPENCODE_2_RELEASE,
				isDated: 1,
				isWhole: 1,
			},
		]);
		expect(undated).toEqual([]);
	} finally {
		await model.stop();
		home.remove();
	}
}, 600_000);
