/** Makes an empty database with the current schema, or brings one up to it: `bun scripts/dev-database.ts FILE`. */
import { loadCore } from "../plugin-shim/src/core.ts";
import { SqliteSink } from "../plugin-shim/src/storage/sqlite.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("which file?");

const { store } = loadCore();
const sink = new SqliteSink({ path, inOwnFolder: true }, store);
sink.apply([]); // a sink opens its database with the first batch
sink.close();
