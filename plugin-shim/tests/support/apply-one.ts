/** A process that stores one session: `apply-one.ts DATABASE ID`. It tries again while the database is busy, or once another is in its place, as the recorder does. */
import { loadCore } from "../../src/core.ts";
import { SinkError } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";

const [path = "", id = ""] = process.argv.slice(2);
const { store } = loadCore();
const sink = new SqliteSink({ path, inOwnFolder: false }, store);
for (let attempt = 0; attempt < 100; attempt++)
	try {
		sink.apply([{ method: "session.upsert", params: { id } }]);
		break;
	} catch (error) {
		const kind = error instanceof SinkError ? error.kind : undefined;
		if (kind !== "unavailable" && kind !== "replaced") throw error;
	}
sink.close();
