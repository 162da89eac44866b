/** A throw-away home for OpenCode 2, with the configuration in its own form. */

import {
	Home,
	type HomeOptions,
	LARGE_MODEL,
	PRICE,
	PROVIDER,
	SMALL_MODEL,
	SMALL_PRICE,
} from "../harness/home.ts";
import { OPENCODE_2_RELEASE } from "../harness/releases.ts";

/** The server's password: OpenCode 2 serves nobody without one. */
export const PASSWORD = "scripted";

export type Home2Options = Omit<HomeOptions, "release"> & {
	readonly release?: string;
};

export class Home2 extends Home {
	constructor(options: Home2Options) {
		super({
			release: OPENCODE_2_RELEASE,
			...options,
			env: { OPENCODE_PASSWORD: PASSWORD, ...options.env },
		});
	}

	override configure(plugins: readonly unknown[]): void {
		this.writeConfig({ ...baseConfig(this.options.modelURL), plugins });
	}
}

function baseConfig(modelURL: string): Record<string, unknown> {
	const limit = { context: 200_000, output: 8192 };
	return {
		$schema: "https://opencode.ai/config.json",
		model: `${PROVIDER}/${LARGE_MODEL}`,
		providers: {
			[PROVIDER]: {
				name: "Scripted",
				package: "aisdk:@ai-sdk/openai-compatible",
				settings: { baseURL: modelURL, apiKey: "scripted" },
				models: {
					[LARGE_MODEL]: {
						name: "Scripted Large",
						capabilities: {
							tools: true,
							input: ["text", "image"],
							output: ["text"],
						},
						limit,
						cost: {
							input: PRICE.input,
							output: PRICE.output,
							cache: { read: PRICE.cache_read, write: PRICE.cache_write },
						},
					},
					[SMALL_MODEL]: {
						name: "Scripted Small",
						capabilities: { tools: true, input: ["text"], output: ["text"] },
						limit,
						cost: SMALL_PRICE,
					},
				},
			},
		},
		permissions: [
			{ action: "*", resource: "*", effect: "allow" },
			{ action: "shell", resource: "touch *", effect: "ask" },
		],
		experimental: { subagent_depth: 3 },
	};
}
