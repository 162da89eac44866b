/** A process that moves a database while it holds its lock, as `clankers restore` does: `hold-and-move.ts DATABASE TO`. */
import { renameSync, writeFileSync } from "node:fs";
import { connect } from "../../src/storage/connection.ts";

const [path = "", to = ""] = process.argv.slice(2);
const connection = connect(path);
connection.exec("BEGIN IMMEDIATE");
writeFileSync(`${path}.locked`, "");
await new Promise((resolve) => setTimeout(resolve, 25));
for (const ending of ["-wal", "-shm", ""])
	renameSync(path + ending, to + ending);
connection.exec("ROLLBACK");
connection.close();
