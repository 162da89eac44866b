/** The core's WebAssembly. The build puts the bytes themselves in place of this module. */
import { readFileSync } from "node:fs";

/** The compiled core, as `make wasm` leaves it. */
export function wasmBytes(): Uint8Array<ArrayBuffer> {
	return readFileSync(new URL("../../pkg/clankers_bg.wasm", import.meta.url));
}
