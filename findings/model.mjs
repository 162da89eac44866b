// A language model on loopback that gives every question the same answer, in
// the form of an OpenAI-compatible provider. Only to "Ask me." it asks something
// itself, by the tool `question`; "Fill the context." it counts as almost more than
// it can read; when it hears "Lose the network." for the first time, the line is
// cut before it has said a word; and the summary of a compaction of OpenCode 2 it
// begins and never ends. Its first line of output is the address for a
// configuration's `baseURL`.
import { createServer } from "node:http";

// As the API defines it, completion_tokens contains the reasoning tokens.
const usage = {
	prompt_tokens: 100,
	completion_tokens: 50,
	total_tokens: 150,
	completion_tokens_details: { reasoning_tokens: 20 },
};
const full = { ...usage, prompt_tokens: 199_000, total_tokens: 199_050 };
// How OpenCode 2 begins the template of a summary.
const template = "You MUST use this format for your response";

const question = {
	question: "Which colour?",
	header: "Colour",
	options: [{ label: "Red", description: "warm" }],
};
const call = {
	index: 0,
	id: "call_1",
	type: "function",
	function: {
		name: "question",
		arguments: JSON.stringify({ questions: [question] }),
	},
};

// Whether a request is for the answer to this prompt. The one for its title has
// no tools.
function answers({ messages, tools }, prompt) {
	const last = messages.at(-1);
	return tools && last.role === "user" && JSON.stringify(last).includes(prompt);
}

let isCut = false;

const server = createServer(async (request, response) => {
	let body = "";
	for await (const chunk of request) body += chunk;
	if (request.method !== "POST" || request.url !== "/v1/chat/completions")
		return response.writeHead(404).end();
	const input = JSON.parse(body);
	const { model } = input;
	if (!isCut && body.includes("Lose the network.")) {
		isCut = true;
		return request.socket.destroy();
	}
	response.writeHead(200, { "content-type": "text/event-stream" });
	const send = (delta, finish_reason = null, more = {}) => {
		const choices = [{ index: 0, delta, finish_reason }];
		const object = "chat.completion.chunk";
		const chunk = { id: "chatcmpl-1", object, created: 1, model, choices };
		response.write(`data: ${JSON.stringify({ ...chunk, ...more })}\n\n`);
	};
	if (body.includes(template)) {
		send({ role: "assistant", content: "## Objective\n- Half a summary" });
		return;
	}
	send({ role: "assistant", reasoning_content: "A greeting." });
	if (answers(input, "Ask me.")) {
		send({ tool_calls: [call] });
		send({}, "tool_calls", { usage });
	} else {
		send({ content: "Understood." });
		const isFull = answers(input, "Fill the context.");
		send({}, "stop", { usage: isFull ? full : usage });
	}
	response.end("data: [DONE]\n\n");
});

server.listen(0, "127.0.0.1", () => {
	process.stdout.write(`http://127.0.0.1:${server.address().port}/v1\n`);
});
