/** Rows as a table that a person likes to read, at most `WIDTH` columns wide. */

const WIDTH = 100;

/** One column: its heading, and how a row's value is written in it. */
export interface Column<Row> {
	readonly heading: string;
	readonly value: (row: Row) => string | number;
	/** Takes what the others leave of the width; longer values end in `…`. */
	readonly flexible?: boolean;
}

export function table<Row>(
	rows: readonly Row[],
	columns: readonly Column<Row>[],
): string {
	const cells = rows.map((row) =>
		columns.map(({ value }) => String(value(row)).replaceAll(/\s+/g, " ")),
	);
	const natural = columns.map(({ heading }, at) =>
		Math.max(heading.length, ...cells.map((row) => row[at]?.length ?? 0)),
	);
	const fixed = natural
		.filter((_, at) => !columns[at]?.flexible)
		.reduce((sum, width) => sum + width, 0);
	const flexible = columns.filter((column) => column.flexible).length;
	const gaps = 2 * columns.length;
	const share = Math.floor((WIDTH - gaps - fixed) / Math.max(flexible, 1));
	const widths = columns.map((column, at) => {
		const width = natural[at] ?? 0;
		return column.flexible ? Math.min(width, Math.max(share, 8)) : width;
	});
	const isNumber = columns.map(({ value }) =>
		rows.every((row) => typeof value(row) === "number"),
	);
	const line = (values: readonly string[]): string =>
		values
			.map((text, at) => fit(text, widths[at] ?? 0, isNumber[at] ?? false))
			.join("  ")
			.trimEnd();
	const rule = widths.map((width) => "─".repeat(width));
	return [
		line(columns.map(({ heading }) => heading)),
		line(rule),
		...cells.map(line),
	]
		.map((text) => `  ${text}`)
		.join("\n");
}

function fit(text: string, width: number, right: boolean): string {
	const short = text.length > width ? `${text.slice(0, width - 1)}…` : text;
	return right ? short.padStart(width) : short.padEnd(width);
}
