/**
 * The package's main module. It exports the plugin function and nothing else:
 * old releases of OpenCode call every export as a plugin.
 */
import type { Plugin } from "./hosts/opencode1.ts";
import { record } from "./plugin.ts";

const plugin: Plugin = record;

export default plugin;
