// A server of the Model Context Protocol on stdin and stdout: a tool that answers, one that shows a picture, one that refuses.
import { createInterface } from "node:readline";

/** One red pixel. */
const PIXEL =
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const TOOLS = {
	echo: (input) => ({
		content: [{ type: "text", text: `echo: ${input.text}` }],
	}),
	// Without a word, unless it is given one.
	picture: ({ text }) => ({
		content: [
			...(text === undefined ? [] : [{ type: "text", text }]),
			{ type: "image", data: PIXEL, mimeType: "image/png" },
		],
	}),
	refuse: () => ({
		content: [{ type: "text", text: "not today" }],
		isError: true,
	}),
};

function answer(method, params) {
	if (method === "initialize")
		return {
			protocolVersion: params.protocolVersion,
			capabilities: { tools: {} },
			serverInfo: { name: "lab", version: "1.0.0" },
		};
	if (method === "tools/list")
		return {
			tools: Object.keys(TOOLS).map((name) => ({
				name,
				description: `To ${name}.`,
				inputSchema: {
					type: "object",
					properties: { text: { type: "string" } },
				},
			})),
		};
	if (method === "tools/call")
		return TOOLS[params.name](params.arguments ?? {});
	return {};
}

for await (const line of createInterface({ input: process.stdin })) {
	const { id, method, params } = JSON.parse(line);
	if (id === undefined) continue;
	const result = answer(method, params);
	process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
}
