/** Which SQLite and which schema a database has, and its migrations. */
import type { Store } from "../../../pkg/clankers.js";
import { type Connection, oneValue, transaction } from "./connection.ts";
import { SinkError } from "./sink.ts";

/** The first SQLite with `->>`; macOS 12 has an older one. */
const OLDEST_SQLITE = [3, 38];

/** One statement, since another process may be making the database right now. */
const IS_FOREIGN =
	"SELECT user_version = 0 AND EXISTS (SELECT 1 FROM sqlite_master) AS value FROM pragma_user_version";

/** Throws where this SQLite is too old. */
export function checkSqlite(connection: Connection): void {
	const version = String(
		oneValue(connection, "SELECT sqlite_version() AS value"),
	);
	const [major = 0, minor = 0] = version.split(".").map(Number);
	const [oldestMajor = 0, oldestMinor = 0] = OLDEST_SQLITE;
	if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
		throw new SinkError(
			"unsupported",
			`SQLite ${version} is too old: ${OLDEST_SQLITE.join(".")} or later is needed`,
		);
}

/** Throws where we may not write the database. Before anything is written, so that a newer one is left as it is. */
export function checkVersion(connection: Connection, store: Store): void {
	const known = store.schemaVersion;
	const found = versionOf(connection);
	if (found > known && !(oldestWriter(connection, store) <= known))
		throw new SinkError(
			"incompatible",
			`it was written by a newer clankers (schema ${found}, this one knows ${known}): update the plugin, or name another file in CLANKERS_DB_PATH`,
		);
	if (oneValue(connection, IS_FOREIGN) === 1)
		throw new SinkError(
			"incompatible",
			"it holds tables of something else: move it away, or name another file in CLANKERS_DB_PATH",
		);
}

/** Each step in a transaction that looks again: several processes may start at once. */
export function migrate(connection: Connection, { migrations }: Store): void {
	for (
		let version = versionOf(connection);
		version < migrations.length;
		version = versionOf(connection)
	)
		transaction(connection, () => {
			const next = migrations[version];
			if (next === undefined || versionOf(connection) !== version) return;
			connection.exec(next);
			connection.exec(`PRAGMA user_version = ${version + 1}`);
		});
}

/** The oldest schema whose writers may go on in a newer database; none where it does not say. */
function oldestWriter(connection: Connection, store: Store): number {
	try {
		return Number(oneValue(connection, store.oldestWriter));
	} catch {
		return Number.NaN;
	}
}

function versionOf(connection: Connection): number {
	return Number(oneValue(connection, "PRAGMA user_version"));
}
