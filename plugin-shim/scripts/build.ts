/**
 * Builds `dist/`: `index.js` and `clankers.js`, each whole in itself with the
 * wasm inside, `server.js` beside `index.js`, `client.js` without the wasm, and
 * the types of all entries.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
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

/** Lets `server.js` use the `index.js` beside it. */
const indexBeside: Plugin = {
	name: "index-beside",
	setup: ({ onResolve }) =>
		onResolve({ filter: /^\.\/index\.ts$/ }, () => ({
			path: "./index.js",
			external: true,
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

rmSync(dist, { recursive: true, force: true });
await build({
	...common,
	entryPoints: ["src/index.ts"],
	outfile: "dist/index.js",
	plugins: [inlineWasm],
});
await build({
	...common,
	entryPoints: ["src/server.ts"],
	outfile: "dist/server.js",
	plugins: [indexBeside],
});
await build({
	...common,
	entryPoints: ["src/client.ts"],
	outfile: "dist/client.js",
});
copyFileSync(join(dist, "index.js"), join(dist, "clankers.js"));
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
const typed = ["index", "server", "client", "rpc/link", "rpc/protocol"];
for (const host of ["host", "host-log", "opencode1"])
	typed.push(`hosts/${host}`);
for (const name of typed)
	cpSync(join(types, `${name}.d.ts`), join(dist, `types/src/${name}.d.ts`));
cpSync(join(root, "../pkg/clankers.d.ts"), join(dist, "pkg/clankers.d.ts"));
rmSync(types, { recursive: true });
