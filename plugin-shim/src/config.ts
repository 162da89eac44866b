/**
 * The settings: plugin options from `opencode.json` and environment variables,
 * read once and validated here. The environment wins over the options. A bad
 * value is a problem to report and counts as not given.
 */
import { homedir } from "node:os";
import { posix, win32 } from "node:path";
import type { OnDelete } from "../../pkg/clankers.js";
import { LOG_LEVELS, type LogLevel } from "./hosts/log-level.ts";

/** What is left of a row after its deletion in OpenCode. */
const ON_DELETE = ["tombstone", "keep", "purge"] as const satisfies OnDelete[];
/** What applies the commands. */
const STORAGE = ["sqlite", "daemon"] as const;
const OPTIONS = [
	"dbPath",
	"dataPath",
	"logLevel",
	"onDelete",
	"storage",
	"socketPath",
	"pendingMiB",
];
/** What options do not say, since a project's file may hold them, and the variables that do. */
const PERSONAL = new Map([
	["content", "CLANKERS_CONTENT"],
	["ignore", "CLANKERS_IGNORE"],
]);

/** How much may wait in memory where nothing else is said, and at most: the core has no more than 4 GiB. */
export const PENDING_MIB = 32;
const MOST_MIB = 1024;

const FOLDER_NAME = "clankers";
const FILE_NAME = "clankers.db";
const SOCKET_NAME = "dxta-clankers.sock";
const TROUBLE_NAME = "trouble.log";
const SETTINGS_NAME = "config.json";

/** The settings in force. */
export interface Config {
	readonly database: Database;
	readonly logLevel: LogLevel;
	readonly onDelete: OnDelete;
	readonly storage: (typeof STORAGE)[number];
	/** How much may wait in memory while nothing can be stored. */
	readonly pendingMiB: number;
	readonly daemon: DaemonPlace;
	readonly troubleFiles: TroubleFiles;
}

/** The database to write. */
export interface Database {
	/** The file. */
	readonly path: string;
	/** Whether it is in the default folder, which is clankers' own. */
	readonly inOwnFolder: boolean;
}

/** The daemon that records, where one does. */
export interface DaemonPlace {
	readonly socketPath: string;
}

/** Where trouble is written for a host without a log. */
export interface TroubleFiles {
	/** Beside the database, and of this database only. */
	readonly beside: string;
	/** With the user's state, of all databases: for where the first cannot be written. */
	readonly shared: string;
}

/** What else the settings depend on. */
export interface Machine {
	readonly platform: NodeJS.Platform;
	readonly home: string;
}

/** The environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads all settings. Never throws. */
export function readConfig(
	options: unknown,
	environment: Environment,
	machine: Machine = { platform: process.platform, home: homedir() },
): { config: Config; problems: string[] } {
	const reader = new Reader(machine);
	const given = reader.object("options", options);
	const variable = (name: string): string | undefined =>
		environment[name] || undefined;
	const file = settingsFile(environment, machine);
	for (const name of Object.keys(given))
		if (!OPTIONS.includes(name)) reader.problems.push(unknown(name, file));

	// Each is read, whichever is used, so that each bad value is reported.
	const ofEnvironment = {
		db: reader.path("CLANKERS_DB_PATH", variable("CLANKERS_DB_PATH")),
		data: reader.path("CLANKERS_DATA_PATH", variable("CLANKERS_DATA_PATH")),
		socket: reader.path(
			"CLANKERS_SOCKET_PATH",
			variable("CLANKERS_SOCKET_PATH"),
		),
	};
	const ofOptions = {
		db: reader.path("dbPath", given["dbPath"]),
		data: reader.path("dataPath", given["dataPath"]),
		socket: reader.path("socketPath", given["socketPath"]),
	};
	const { join } = pathsOf(machine.platform);
	const inFolder = (folder: string | undefined): string | undefined =>
		folder && join(folder, FILE_NAME);
	const path = first(
		ofEnvironment.db,
		inFolder(ofEnvironment.data),
		ofOptions.db,
		inFolder(ofOptions.data),
	);
	const standard = defaultFolder(variable, machine);
	const data = first(ofEnvironment.data, ofOptions.data) ?? standard;
	const logLevel = first(
		reader.oneOf(
			"CLANKERS_LOG_LEVEL",
			LOG_LEVELS,
			variable("CLANKERS_LOG_LEVEL")?.toLowerCase(),
		),
		reader.oneOf("logLevel", LOG_LEVELS, given["logLevel"]),
	);
	const database: Database = {
		path: path ?? join(standard, FILE_NAME),
		inOwnFolder: path === undefined,
	};
	const onDelete = reader.oneOf("onDelete", ON_DELETE, given["onDelete"]);
	const storage = reader.oneOf("storage", STORAGE, given["storage"]);
	const pendingMiB = first(
		reader.mebibytes(
			"CLANKERS_PENDING_MIB",
			numberIn(variable("CLANKERS_PENDING_MIB")),
		),
		reader.mebibytes("pendingMiB", given["pendingMiB"]),
	);
	const config: Config = {
		database,
		troubleFiles: {
			beside: `${database.path}.log`,
			shared: join(stateFolder(variable, machine), TROUBLE_NAME),
		},
		logLevel: logLevel ?? "info",
		onDelete: onDelete ?? "tombstone",
		pendingMiB: pendingMiB ?? PENDING_MIB,
		storage: ofEnvironment.socket ? "daemon" : (storage ?? "sqlite"),
		daemon: {
			socketPath:
				first(ofEnvironment.socket, ofOptions.socket) ??
				defaultSocket(data, machine),
		},
	};
	return { config, problems: reader.problems };
}

/** The file of a person's own settings, which no project holds. */
export function settingsFile(
	environment: Environment,
	machine: Machine,
): string {
	const { platform } = machine;
	const { join } = pathsOf(platform);
	const variable = (name: string): string | undefined =>
		environment[name] || undefined;
	const isBesideData = platform === "win32" || platform === "darwin";
	const folder = isBesideData
		? defaultFolder(variable, machine)
		: join(
				xdgFolder(variable("XDG_CONFIG_HOME"), ".config", machine),
				FOLDER_NAME,
			);
	return join(folder, SETTINGS_NAME);
}

/** Why an option is not used. `file` is where a person's own settings are. */
function unknown(name: string, file: string): string {
	const own = PERSONAL.get(name);
	if (own !== undefined)
		return `option \`${name}\` is not taken from here, where a project could set it: it belongs in \`${file}\` or \`${own}\``;
	return name.startsWith("outbox")
		? `option \`${name}\` does nothing: while the daemon is away, this process writes the database itself`
		: `unknown option \`${name}\``;
}

type PlatformPath = typeof posix;

/** A variable of the environment, where it is set. */
type Variable = (name: string) => string | undefined;

/** Reads values one by one. What is not given or not usable is `undefined`. */
class Reader {
	readonly problems: string[] = [];
	readonly #home: string;
	readonly #path: PlatformPath;

	constructor(machine: Machine) {
		this.#home = machine.home;
		this.#path = pathsOf(machine.platform);
	}

	object(name: string, value: unknown): Readonly<Record<string, unknown>> {
		if (value === undefined || value === null) return {};
		if (typeof value === "object" && !Array.isArray(value)) return { ...value };
		this.#unusable(name, "an object", value);
		return {};
	}

	oneOf<Word extends string>(
		name: string,
		words: readonly Word[],
		value: unknown,
	): Word | undefined {
		const found = words.find((word) => word === value);
		if (found === undefined && value !== undefined)
			this.#unusable(name, words.map(quote).join(", "), value);
		return found;
	}

	mebibytes(name: string, value: unknown): number | undefined {
		if (value === undefined) return undefined;
		const isWhole = typeof value === "number" && Number.isInteger(value);
		if (isWhole && value >= 1 && value <= MOST_MIB) return value;
		this.#unusable(name, `a whole number from 1 to ${MOST_MIB}`, value);
		return undefined;
	}

	/** An absolute path. A relative one would be another place for each project. */
	path(name: string, value: unknown): string | undefined {
		if (value === undefined) return undefined;
		if (typeof value === "string") {
			const path = /^~[/\\]/.test(value)
				? this.#path.join(this.#home, value.slice(2))
				: value;
			if (this.#path.isAbsolute(path)) return this.#path.normalize(path);
		}
		this.#unusable(name, "a path that begins with `/` or `~/`", value);
		return undefined;
	}

	#unusable(name: string, expected: string, value: unknown): void {
		this.problems.push(
			`\`${name}\`: expected ${expected}, found ${kindOf(value)}; it is not used`,
		);
	}
}

/** Where each platform keeps a program's data. */
function defaultFolder(variable: Variable, machine: Machine): string {
	const { home, platform } = machine;
	const { join } = pathsOf(platform);
	const folder = (): string => {
		if (platform === "win32")
			return variable("APPDATA") ?? join(home, "AppData", "Roaming");
		if (platform === "darwin")
			return join(home, "Library", "Application Support");
		return xdgFolder(variable("XDG_DATA_HOME"), ".local/share", machine);
	};
	return join(folder(), FOLDER_NAME);
}

/** Where a program keeps what it may lose, as the XDG base directories say; as OpenCode does, on every platform. */
function stateFolder(variable: Variable, machine: Machine): string {
	const folder = xdgFolder(variable("XDG_STATE_HOME"), ".local/state", machine);
	return pathsOf(machine.platform).join(folder, FOLDER_NAME);
}

/** A folder as the XDG specification has it: `told` by its variable, or `standard` in the home folder. A relative one is ignored. */
function xdgFolder(
	told: string | undefined,
	standard: string,
	{ home, platform }: Machine,
): string {
	const { isAbsolute, join } = pathsOf(platform);
	return told !== undefined && isAbsolute(told) ? told : join(home, standard);
}

/** Where the daemon listens. Windows' pipes have one name space for all users: the folder tells them apart. */
function defaultSocket(data: string, { platform }: Machine): string {
	if (platform !== "win32") return posix.join(data, SOCKET_NAME);
	const folder = data.replace(/[^\p{Alphabetic}\p{N}]/gu, "-");
	return `\\\\.\\pipe\\${folder}-${SOCKET_NAME}`;
}

function pathsOf(platform: NodeJS.Platform): PlatformPath {
	return platform === "win32" ? win32 : posix;
}

function first<Value>(...values: (Value | undefined)[]): Value | undefined {
	return values.find((value) => value !== undefined);
}

/** The number that a text is; the text where it is none. */
function numberIn(text: string | undefined): unknown {
	const number = Number(text);
	return Number.isNaN(number) ? text : number;
}

function kindOf(value: unknown): string {
	if (typeof value === "string") return quote(value);
	if (value === null) return "null";
	if (Array.isArray(value)) return "an array";
	return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function quote(word: string): string {
	return `\`${word}\``;
}
