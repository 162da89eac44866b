/** `opencode service stop` under a person's hands: their screen starts another service, and what was said before, meanwhile and after is recorded once. */

import { expect, test } from "bun:test";
import { until } from "./harness/poll.ts";
import { call, hang, type Reply, say } from "./harness/script.ts";
import { READY } from "./harness/terminal.ts";
import { textsOf } from "./mirror/database.ts";
import { atTheScreen, BUSY, turn } from "./opencode2/screen.ts";
import { stopUnderAScreen } from "./opencode2/service.ts";

/** Each takes a screen and two services: the first is of `make test`, the others are of `make long`. */
const isPlayed = process.env.E2E_SCENARIO === "all";
const HEARD = "The last words are";

/** What the model is at when the service is stopped, what of it is then on the screen, and what the session's texts are in the end. */
const TURNS: readonly {
	readonly what: string;
	readonly reply: Reply;
	readonly shown: string;
	readonly texts: readonly string[];
}[] = [
	{
		what: "it is speaking",
		reply: hang(HEARD),
		shown: HEARD,
		texts: ["Hello, person.", HEARD, "I am back.", "I am."],
	},
	{
		what: "a command runs",
		reply: call("shell", { command: "echo begun; sleep 60" }),
		shown: "sleep 60",
		texts: ["Hello, person.", "I am back.", "I am."],
	},
];

test(
	"the service is stopped between two turns",
	() =>
		atTheScreen(async (world, open) => {
			const { home, model, restartBy } = world;
			const terminal = open();
			await terminal.shows(READY);
			await turn(terminal, "Say hello.", say("Hello, person."), model);
			await restartBy(() => stopUnderAScreen(home));
			await turn(terminal, "Are you there?", say("I am."), model);
			expect(await world.api.sessions()).toHaveLength(1);
		}),
	600_000,
);

test.skipIf(!isPlayed).each(TURNS)(
	"the service is stopped while $what: the turn goes on by itself",
	({ reply, shown, texts }) =>
		atTheScreen(async (world, open) => {
			const { database, home, model, restartBy } = world;
			const terminal = open();
			await terminal.shows(READY);
			await turn(terminal, "Say hello.", say("Hello, person."), model);
			model.script("Until the end.", reply);
			model.script("The server restarted", say("I am back."));
			await terminal.sends("Until the end.");
			await terminal.shows(shown);
			await restartBy(() => stopUnderAScreen(home));
			await terminal.shows("I am back.");
			await terminal.hides(BUSY);
			await turn(terminal, "Are you there?", say("I am."), model);
			const [session, ...others] = await world.api.sessions();
			expect(others).toEqual([]);
			const said = () => textsOf(database, String(session?.id));
			await until("the words in the database", () =>
				Bun.deepEquals(said(), texts),
			).catch(() => expect(said()).toEqual([...texts]));
		}),
	600_000,
);
