/**
 * A process with a daemon sink of its own: `apply-to-daemon.ts SOCKET OUTBOX ID COUNT HOW`.
 * It applies COUNT sessions and then, as HOW says: exits at once (`exit`),
 * connects first (`connected`), says `ready` and stays (`stay`), or does
 * nothing more and is left to end by itself (`end`).
 */
import { loadCore } from "../../src/core.ts";
import { DaemonSink } from "../../src/storage/daemon/daemon-sink.ts";

const [socketPath = "", outboxFolder = "", id = "", count = "1", how = ""] =
	process.argv.slice(2);
const { schemaVersion } = loadCore().store;
const sink = new DaemonSink({
	socketPath,
	outboxFolder,
	outboxLimit: 64 * 1024 * 1024,
	schemaVersion,
	clientVersion: "test",
});
process.on("exit", () => sink.close());
// The sink keeps no process alive, as OpenCode is alive by itself.
const alive = setInterval(() => {}, 1000);
if (how === "connected") await sink.stored("/nowhere", [], undefined);
clearInterval(alive);
for (let at = 0; at < Number(count); at++)
	sink.apply([
		{ method: "session.upsert", params: { id: `${id}_${at}`, title: how } },
	]);
if (how === "stay") {
	process.stdout.write("ready\n");
	process.stdin.resume();
} else if (how !== "end") process.exit(0);
