/**
 * The package's `./tui` entry, which OpenCode 2.x loads into its screen where
 * its server has the plugin. It exports this object and nothing else.
 */
import { type Screen, watch } from "./screen.ts";

/** The module's shape. */
export interface Tui {
	readonly id: string;
	setup(screen?: Screen): () => void;
}

const tui: Tui = {
	id: "opencode-clankers",
	setup: (screen) => watch(screen),
};

export default tui;
