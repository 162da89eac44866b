/** A row that must be there. */

import type { Claim } from "../claim.ts";

export type Cells = Readonly<Record<string, Claim>>;

export interface ExpectedRow {
	readonly table: string;
	readonly id: string;
	/** The session that the row is of. */
	readonly session: string;
	readonly cells: Cells;
	/** What must hold in place of `cells` where the row is marked as missing; without it, such a mark is a difference like any other. */
	readonly missing?: Cells;
	/** A row that may be absent; where it is there, the claims hold. */
	readonly optional?: boolean;
}
