/** Makes the core trap for real. */
import { initSync } from "../../../pkg/clankers.js";
import { wasmBytes } from "../../src/wasm.ts";

/**
 * Overwrites the living instance's whole memory, as a wild write would. The next
 * `observe` runs into a trap of the engine; other calls find their object
 * borrowed (its flag is among what was overwritten) and throw, which the shim
 * has to treat alike. So the core needs no export that traps on purpose.
 * (`initSync` on a module that is instantiated already only answers its exports.)
 */
export function poison(): void {
	const { memory } = initSync({ module: wasmBytes() });
	new Uint8Array(memory.buffer).fill(0xff);
}
