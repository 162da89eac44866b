/**
 * Whom a socket belongs to: what is recorded is a person's own, and is sent to nobody
 * else's process. The daemon looks at its clients in the same way
 * (`cli/src/daemon/transport/unix.rs`).
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";

/** Whom others may not write beside. */
const WRITABLE_BY_OTHERS = 0o022;
/** In such a folder nobody removes what is another's. */
const STICKY = 0o1000;

/**
 * Why nothing is to be sent to the socket at `path`; nothing where it, and the folder
 * that it is in, are this user's, or root's, and nobody else may put another in its
 * place. Windows has no owners that Node can tell. Throws where nothing is there.
 */
export function foreignSocket(
	path: string,
	own: number | undefined = process.geteuid?.(),
): string | undefined {
	if (own === undefined) return undefined;
	const isOurs = (uid: number): boolean => uid === own || uid === 0;
	const socket = statSync(path);
	if (!isOurs(socket.uid))
		return `${path} belongs to another user, ${socket.uid}: nothing is sent there`;
	const folder = statSync(dirname(path));
	const isOpen = (folder.mode & WRITABLE_BY_OTHERS) !== 0;
	if (!isOurs(folder.uid) || (isOpen && (folder.mode & STICKY) === 0))
		return `others can write to the folder of ${path}: nothing is sent there`;
	return undefined;
}
