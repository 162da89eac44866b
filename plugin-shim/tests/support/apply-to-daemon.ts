/**
 * A process with a daemon sink of its own that ends with its batch under way:
 * `apply-to-daemon.ts SOCKET DATABASE ID COUNT HOW`. The batch is COUNT sessions
 * and a rejection. HOW: `connected` waits for the daemon first, `at once` does
 * not, `end` waits for nothing and is left to end by itself.
 */
import { loadCore } from "../../src/core.ts";
import { DaemonSink } from "../../src/storage/daemon/daemon-sink.ts";
import { NOTHING, rejection, sessionUpsert } from "./commands.ts";

const [socketPath = "", path = "", id = "", count = "1", how = ""] =
	process.argv.slice(2);
const sink = new DaemonSink({
	...{ socketPath, database: { path, inOwnFolder: false } },
	...{ store: loadCore().store, clientVersion: "test" },
});
process.on("exit", () => {
	sink.finish();
	sink.close();
});
// The sink keeps no process alive, as OpenCode is alive by itself.
const alive = setInterval(() => {}, 1000);
if (how === "connected") await sink.stored(NOTHING);
clearInterval(alive);
const sessions = Array.from({ length: Number(count) }, (_, at) =>
	sessionUpsert(`${id}_${at}`, how),
);
void sink.apply([...sessions, rejection()]);
if (how !== "end") process.exit(0);
