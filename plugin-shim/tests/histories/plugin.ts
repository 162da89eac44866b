/** clankers in a simulated process: the real recorder, core and sink, on virtual time. */
import type { Store } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import type { Answer, HostRequest } from "../../src/hosts/host.ts";
import { HostLog } from "../../src/hosts/host-log.ts";
import { OpenCode1Host } from "../../src/hosts/opencode1.ts";
import { Recorder } from "../../src/recorder.ts";
import type { Membership } from "../../src/registry.ts";
import type { RefusedCommand } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { clientOf, type Flaw, type Line } from "./client.ts";
import { type Held, Ledger } from "./ledger.ts";
import type { OpenCode } from "./opencode.ts";
import type { VirtualTime } from "./virtual-time.ts";

const { eventTypes, store } = loadCore();

/** Where a process is, and what watches it. */
export interface PluginPlace {
	/** What `XDG_DATA_HOME` says. */
	readonly dataHome: string;
	/** Where OpenCode says it keeps its state. */
	readonly stateFolder: string;
	/** Where clankers.db is. */
	readonly database: string;
	/** Which store it is, as the plugin tells stores from each other. */
	readonly storeId: string;
	readonly flaw: Flaw | undefined;
	readonly ledger: Ledger;
	readonly time: VirtualTime;
}

export class Plugin {
	readonly storeId: string;
	readonly flaw: Flaw | undefined;
	/** What it wrote into OpenCode's log. */
	readonly log: Line[] = [];
	/** What events told since all was at rest last. */
	readonly told: Map<string, Held> = new Map();
	/** By whom it is told what is deleted: until it has asked, it does not know which store it listens to. */
	#teller: string;
	#hasAsked = false;
	readonly #opencode: OpenCode;
	readonly #time: VirtualTime;
	readonly #sink: SqliteSink;
	readonly #recorder: Recorder;
	readonly #member: Membership;

	constructor(opencode: OpenCode, place: PluginPlace) {
		const { storeId, flaw, ledger, time } = place;
		this.storeId = storeId;
		this.flaw = flaw;
		this.#opencode = opencode;
		this.#time = time;
		const nobody = ledger.nobody();
		this.#teller = nobody;
		this.#sink = new WatchedSink(place.database, store, () => ledger.look());
		const environment = { XDG_DATA_HOME: place.dataHome };
		this.#recorder = new Recorder({}, eventTypes.ignored, this.#sink, {
			now: () => time.now(),
			clock: time.clockOf(this),
		});
		const client = clientOf(opencode, place.stateFolder, flaw, this.log);
		const { directory } = opencode;
		const log = new HostLog(client);
		this.#member = this.#recorder.join({
			log,
			host: new WatchedHost(client, directory, log, environment, (found) => {
				this.#teller = found === undefined ? nobody : storeId;
				if (found !== undefined && !this.#hasAsked)
					ledger.isKnown(nobody, storeId);
				this.#hasAsked = true;
				if (flaw !== "tells no path") ledger.isTold(storeId, found);
			}),
		});
		ledger.listening({ storeId, sessions: opencode.store.sessions() });
		opencode.listener = (event) => {
			ledger.hears(event, storeId, this.#teller);
			const told = Ledger.told(event);
			if (told !== undefined) this.told.set(...told);
			this.#member.observe(event);
		};
	}

	/** OpenCode disposes of it. */
	leave(): void {
		this.#member.leave();
		this.#gone();
	}

	/** The process ends without that. */
	exit(): void {
		this.#recorder.end();
		this.#gone();
	}

	/** It had reason to complain about this. */
	forgive(complaint: RegExp): void {
		const others = this.log.filter(({ message }) => !complaint.test(message));
		this.log.splice(0, this.log.length, ...others);
	}

	/** The process is killed: what is not stored is lost. */
	kill(): void {
		this.#sink.close();
		this.told.clear();
		this.#gone();
	}

	#gone(): void {
		this.#opencode.listener = undefined;
		this.#time.forget(this);
	}
}

/** Makes clankers.db, as the first plugin does. */
export function makeDatabase(path: string): void {
	const sink = new SqliteSink({ path, inOwnFolder: false }, store);
	sink.stored({
		kind: "storedSessions",
		directory: "",
		ids: [],
		storeId: null,
	});
	sink.close();
}

/** Tells which store it finds. */
class WatchedHost extends OpenCode1Host {
	readonly #told: (storeId: string | undefined) => void;

	constructor(
		client: ConstructorParameters<typeof OpenCode1Host>[0],
		directory: string,
		log: HostLog,
		environment: Readonly<Record<string, string | undefined>>,
		told: (storeId: string | undefined) => void,
	) {
		super(client, directory, log, environment);
		this.#told = told;
	}

	override async ask(request: HostRequest): Promise<Answer> {
		const answer = await super.ask(request);
		if (request.kind === "store") {
			const isFound = answer.outcome === "found";
			this.#told(isFound ? String(answer.value) : undefined);
		}
		return answer;
	}
}

/** Looks at the database after each batch. */
class WatchedSink extends SqliteSink {
	readonly #look: () => void;

	constructor(path: string, store: Store, look: () => void) {
		super({ path, inOwnFolder: false }, store);
		this.#look = look;
	}

	override apply(
		commands: Parameters<SqliteSink["apply"]>[0],
	): RefusedCommand[] {
		const refused = super.apply(commands);
		this.#look();
		return refused;
	}
}
