/** Puts commands into records of an outbox, each the parameters of one `batch`. */
import type { Command } from "../../../../pkg/clankers.js";
import { LONGEST_REQUEST } from "../../rpc/protocol.ts";
import type { RefusedCommand } from "../sink.ts";

/** A record is closed once it is this long. */
const RECORD_LENGTH = 256 * 1024;
/** The longest command that fits into a request, with room for what is around it. */
const LONGEST_COMMAND = LONGEST_REQUEST - 1024;

/** The records, and the commands that are too long for any. */
export function batchesOf(commands: Iterable<Command>): {
	records: string[];
	refused: RefusedCommand[];
} {
	const records: string[] = [];
	const refused: RefusedCommand[] = [];
	let open: string[] = [];
	let length = 0;
	const close = (): void => {
		if (open.length > 0) records.push(`{"commands":[${open.join(",")}]}`);
		open = [];
		length = 0;
	};
	for (const command of commands) {
		const json = JSON.stringify(command);
		if (Buffer.byteLength(json) > LONGEST_COMMAND) {
			const reason = `it is longer than the ${LONGEST_COMMAND} bytes that the daemon takes`;
			refused.push({ command, reason });
			continue;
		}
		if (length + json.length > RECORD_LENGTH) close();
		open.push(json);
		length += json.length;
	}
	close();
	return { records, refused };
}
