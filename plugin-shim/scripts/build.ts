/**
 * Builds `dist/`, in which each file is whole in itself:
 * - `index.js`, the function that 1.x takes, and `server.js`, the object that
 *   2.x takes. Named as a folder in a configuration, `dist/` serves both.
 * - `clankers.js` and `clankers/`, the same two for the folder `plugin/`, where
 *   1.x reads the file and 2.x the folder.
 * - `tui.js`, which 2.x takes from the same folder for its screen.
 * - `client.js`, without the wasm, and the types of all entries.
 */
import { execFileSync } from "node:child_process";
import {
	copyFileSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** Puts the wasm's bytes in the place of the module that reads them from a file. */
const inlineWasm: Plugin = {
	name: "inline-wasm",
	setup: ({ onLoad }) =>
		onLoad({ filter: /[/\\]src[/\\]wasm\.ts$/ }, () => ({
			contents: `import bytes from "../../pkg/clankers_bg.wasm";
				export const wasmBytes = () => bytes;`,
			resolveDir: join(root, "src"),
		})),
};

const common: BuildOptions = {
	absWorkingDir: root,
	bundle: true,
	format: "esm",
	platform: "node",
	target: "es2022",
	loader: { ".wasm": "binary" },
	logLevel: "warning",
	// wasm-bindgen names a module once for each function imported from it.
	logOverride: { "duplicate-object-key": "silent" },
};

const [thread] = (
	await build({
		...common,
		entryPoints: ["src/storage/thread/thread.ts"],
		format: "cjs",
		write: false,
	} as const)
).outputFiles;

/** Puts the code of the thread that writes in the place of the file that it is started from. */
const inlineThread: Plugin = {
	name: "inline-thread",
	setup: ({ onLoad }) =>
		onLoad({ filter: /[/\\]storage[/\\]thread[/\\]start\.ts$/ }, () => ({
			contents: `import { Worker } from "node:worker_threads";
				const code = ${JSON.stringify(thread?.text)};
				export const startThread = (options) =>
					new Worker(code, { ...options, eval: true });`,
			resolveDir: join(root, "src"),
		})),
};

/** The first line of each form, by which `clankers` knows a copy wherever it lies. */
function banner(exported: string): string {
	const text = readFileSync(join(root, "package.json"), "utf8");
	const { name, version } = JSON.parse(text) as {
		name: string;
		version: string;
	};
	return `// ${name} ${version}, ${exported}`;
}

rmSync(dist, { recursive: true, force: true });
for (const [entry, exported] of [
	["index", "a function for OpenCode 1.x"],
	["server", "an object for OpenCode 2.x"],
] as const)
	await build({
		...common,
		entryPoints: [`src/${entry}.ts`],
		outfile: `dist/${entry}.js`,
		banner: { js: banner(exported) },
		plugins: [inlineWasm, inlineThread],
	});
await build({
	...common,
	entryPoints: ["src/tui.ts"],
	outfile: "dist/tui.js",
	banner: { js: banner("the part for the screen of OpenCode 2.x") },
});
await build({
	...common,
	entryPoints: ["src/client.ts"],
	outfile: "dist/client.js",
});
copyFileSync(join(dist, "index.js"), join(dist, "clankers.js"));
mkdirSync(join(dist, "clankers"));
for (const file of ["server.js", "tui.js"])
	copyFileSync(join(dist, file), join(dist, "clankers", file));
copyFileSync(join(root, "..", "LICENSE"), join(dist, "LICENSE"));

const types = mkdtempSync(join(tmpdir(), "clankers-types-"));
execFileSync(
	process.execPath,
	[
		join(root, "node_modules", "typescript", "bin", "tsc"),
		...["--project", "tsconfig.build.json"],
		...["--outDir", types],
	],
	{ cwd: root, stdio: "inherit" },
);
// They are where their imports find the core's, of which some are made.
const typed = [
	...["index", "server", "setup", "screen", "tui", "client", "config"],
	...["rpc/link", "rpc/protocol"],
];
for (const host of [
	...["host", "host-log", "opencode1", "opencode2", "trouble-log"],
])
	typed.push(`hosts/${host}`);
for (const name of typed)
	cpSync(join(types, `${name}.d.ts`), join(dist, `types/src/${name}.d.ts`));
cpSync(join(root, "../pkg/clankers.d.ts"), join(dist, "pkg/clankers.d.ts"));
rmSync(types, { recursive: true });
