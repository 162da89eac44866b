/** OpenCode, and the programs that were made from it: what each is called, and where each keeps its things. */

export interface Application {
	/** What people call it. */
	readonly title: string;
	/** Its executable, and its folder wherever a system keeps data, configuration, state and caches. */
	readonly name: string;
	/** Its npm package for a system such as `linux-x64`. */
	packageFor(system: string): string;
	/** Its configuration file. */
	readonly configFile: string;
	/** The environment in which it asks the network for nothing of its own accord. */
	readonly offline: Readonly<Record<string, string>>;
	/** The package that it installs for plugins to import. */
	readonly helper: string;
	/** The agent that answers where none is named. */
	readonly agent: string;
	/** Whether a process of one turn may leave before it has told the session's last totals. */
	readonly leavesEarly: boolean;
	/** Fields of parts, by the part's type, that it tells in events and leaves out of its answers. */
	readonly unanswered: Readonly<Record<string, readonly string[]>>;
}

export const OPENCODE: Application = {
	title: "OpenCode",
	name: "opencode",
	packageFor: (system) => `opencode-${system}`,
	configFile: "opencode.json",
	offline: disabled("OPENCODE"),
	helper: "@opencode-ai/plugin",
	agent: "build",
	leavesEarly: false,
	unanswered: {},
};

/** OpenCode from 2.0 on: another package, and another program in every respect that a test sees. */
export const OPENCODE_2: Application = {
	...OPENCODE,
	title: "OpenCode 2",
	// The build that needs no AVX2 runs on every machine.
	packageFor: (system) =>
		`@opencode/cli-${system}${system.endsWith("-x64") ? "-baseline" : ""}`,
};

/** A fork that kept the plugin API. */
export const KILO: Application = {
	title: "Kilo",
	name: "kilo",
	packageFor: (system) => `@kilocode/cli-${system}`,
	configFile: "kilo.json",
	offline: {
		...disabled("KILO"),
		KILO_DISABLE_SESSION_INGEST: "1",
		KILO_TELEMETRY_LEVEL: "off",
	},
	helper: "@kilocode/plugin",
	agent: "code",
	leavesEarly: true,
	unanswered: { "step-start": ["time"] },
};

/** The switches that every one of them knows, under names that begin with its own. */
function disabled(prefix: string): Record<string, string> {
	const switches = [
		"MODELS_FETCH",
		"AUTOUPDATE",
		"LSP_DOWNLOAD",
		"DEFAULT_PLUGINS",
	];
	return Object.fromEntries(
		switches.map((name) => [`${prefix}_DISABLE_${name}`, "1"]),
	);
}
