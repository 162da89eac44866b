/** What is expected of OpenCode 2 in general. */
export interface Rules2 {
	readonly release: string;
	/** No client heard the events: what was asked of nobody, no answer tells. */
	readonly isUnheard?: boolean;
}
