/** What is told of the storage: once that it fails, once that it is well again, and anew the next time. */
import type { HostLog } from "./hosts/host-log.ts";
import type { SinkError } from "./storage/sink.ts";

type Kind = SinkError["kind"];

/** Failures in a row before the person is shown one: a lock of a moment is nobody's concern. */
const FAILURES_UNTIL_SHOWN = 3;

/** That nothing is stored. */
interface Told {
	readonly level: "warn" | "error";
	readonly message: string;
	/** What kind of it the person was shown, if any. */
	readonly shown: Kind | undefined;
}

/** The trouble with one recorder's storage. */
export class StorageTrouble {
	readonly #log: () => HostLog | undefined;
	#told: Told | undefined;

	/** `log`: the one to speak through at the moment. */
	constructor(log: () => HostLog | undefined) {
		this.#log = log;
	}

	/** Nothing was stored, for so many times in a row. */
	failed(kind: Kind, why: string, failures: number): void {
		const isForeign = kind === "incompatible";
		const what = isForeign
			? "nothing is recorded"
			: "not stored yet, will be tried again";
		const before = this.#told?.shown;
		const isLasting = isForeign || failures >= FAILURES_UNTIL_SHOWN;
		const isNews = isForeign || before === undefined || before === "replaced";
		this.#report(`${what}: ${why}`, isLasting && isNews ? kind : before);
	}

	/** Something else is in the database's place. */
	replaced(message: string): void {
		this.#told = undefined;
		this.#report(message, "replaced");
	}

	/** An event came that is not stored. A host's own log has it already. */
	remind(): void {
		if (this.#told === undefined) return;
		this.#log()?.remind("storage", this.#told.level, this.#told.message);
	}

	/** Something was stored. */
	over(message: string): void {
		const log = this.#log();
		if (this.#told?.shown !== undefined) log?.reassure(message);
		else if (this.#told !== undefined) log?.log("info", message);
		log?.over("storage", message);
		this.#told = undefined;
	}

	#report(message: string, shown: Kind | undefined): void {
		const [log, before] = [this.#log(), this.#told];
		const level = shown === undefined ? "warn" : "error";
		this.#told = { level, message, shown };
		if (shown !== before?.shown) log?.notify(message, "storage");
		else if (before === undefined) log?.trouble("storage", level, message);
		else log?.remind("storage", level, message);
	}
}
