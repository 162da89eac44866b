/** Another process: writes a session into the database of OpenCode 2 that is named, and closes it. */
import { connect } from "../../src/storage/connection.ts";
import { insert } from "./own-database.ts";

const db = connect(process.argv[2] ?? "");
try {
	db.exec("PRAGMA busy_timeout = 0");
	insert(db, "session_v2", "ses_other", "/a", "o", "2.0.15", 0, 9, 9, null);
	process.stdout.write("written");
} catch (error) {
	process.stdout.write(error instanceof Error ? error.message : String(error));
} finally {
	db.close();
}
