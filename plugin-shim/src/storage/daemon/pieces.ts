/** Cuts a batch into requests that the daemon takes. */
import type { Command } from "../../../../pkg/clankers.js";
import { LONGEST_REQUEST } from "../../rpc/protocol.ts";

/** A piece is closed once it is this long. */
const PIECE_LENGTH = 1024 * 1024;
/** The longest command that fits into a request, with room for what is around it. */
const LONGEST_COMMAND: number = LONGEST_REQUEST - 1024;

/** What goes in one request. */
export interface Piece {
	readonly commands: readonly Command[];
	/** The commands as a JSON list. */
	readonly json: string;
}

/** The batch in pieces, in order, one at least; nothing where a command is too long for any. */
export function piecesOf(commands: readonly Command[]): Piece[] | undefined {
	const pieces: Piece[] = [];
	let open: Command[] = [];
	let texts: string[] = [];
	let length = 0;
	const close = (): void => {
		pieces.push(piece(open, texts));
		open = [];
		texts = [];
		length = 0;
	};
	for (const command of commands) {
		const text = JSON.stringify(command);
		const size = Buffer.byteLength(text);
		if (size > LONGEST_COMMAND) return undefined;
		if (open.length > 0 && length + size > PIECE_LENGTH) close();
		open.push(command);
		texts.push(text);
		length += size;
	}
	close();
	return pieces;
}

/** The same commands, a piece each. */
export function oneByOne({ commands }: Piece): Piece[] {
	return commands.map((command) => piece([command], [JSON.stringify(command)]));
}

function piece(commands: readonly Command[], texts: readonly string[]): Piece {
	return { commands, json: `[${texts.join(",")}]` };
}
