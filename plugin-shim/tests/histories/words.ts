/** Words that are like no other, so that each can be looked for wherever it may have gone. */

/** The end of a word is part of it: half a word is none. */
const WORD = /w\d+\./g;

export class Words {
	#count = 0;

	/** Some new words, one after the other. */
	some(many: number): string {
		const next = (): string => {
			this.#count += 1;
			return `w${this.#count}.`;
		};
		return Array.from({ length: many }, next).join(" ");
	}
}

/** The words in a text. */
export function wordsIn(text: unknown): string[] {
	return typeof text === "string" ? (text.match(WORD) ?? []) : [];
}
