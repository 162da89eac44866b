/** A session's messages as OpenCode answers with them, by pages (1.3.2 to 1.18.34). */
import type { PageQuery } from "../../src/hosts/message-pages.ts";

/** The newest ones, or those before the one that is named, oldest first; all where no limit is asked for. */
export function pageOf<Message extends { info: { id: string } }>(
	all: readonly Message[],
	{ limit, before }: PageQuery,
): { data: readonly Message[]; response: object } {
	const headers = new Headers();
	const response = { status: 200, headers };
	if (limit === undefined) return { data: all, response };
	const isBefore = ({ info }: Message): boolean => info.id === before;
	const end = before === undefined ? all.length : all.findIndex(isBefore);
	const data = all.slice(Math.max(0, end - limit), end);
	const first = data[0]?.info.id;
	if (first !== undefined && data.length < end)
		headers.set("X-Next-Cursor", first);
	return { data, response };
}
