// Reads a value of JavaScript for the core. Each is one crossing, none throws,
// and what throws when it is read (a getter, a revoked proxy) is absent.

/** The field `key`, or `undefined`. */
export function field(object, key) {
	try {
		return object[key];
	} catch {
		return undefined;
	}
}

/** The value's type: a `Kind` by its place in that enum, 7 for `undefined`. */
export function kind(value) {
	switch (typeof value) {
		case "string":
			return 3;
		case "number":
			return Number.isFinite(value) ? 2 : 6;
		case "boolean":
			return 1;
		case "object":
			if (value === null) return 0;
			try {
				return Array.isArray(value) ? 4 : 5;
			} catch {
				return 6;
			}
		case "undefined":
			return 7;
		default:
			return 6;
	}
}

/** The type of the field `key`. */
export function kindAt(object, key) {
	return kind(field(object, key));
}

/** The string in the field `key`, else `undefined`. */
export function textAt(object, key) {
	const value = field(object, key);
	return typeof value === "string" ? value : undefined;
}

/** The length of that string, else -1. */
export function lengthAt(object, key) {
	return length(field(object, key));
}

/** The number in the field `key`, else `NaN`. */
export function numberAt(object, key) {
	const value = field(object, key);
	return typeof value === "number" ? value : Number.NaN;
}

/** Whether the field `key` is that string. */
export function isAt(object, key, word) {
	return field(object, key) === word;
}

/** The length of a string, else -1. */
export function length(value) {
	return typeof value === "string" ? value.length : -1;
}

/** The keys of an object; symbols are none. */
export function keys(object) {
	try {
		return Object.keys(object);
	} catch {
		return [];
	}
}

/** How many those are. */
export function keyCount(object) {
	return keys(object).length;
}

/** The value as JSON text, or `undefined`. */
export function json(value) {
	try {
		return JSON.stringify(value);
	} catch {
		return undefined;
	}
}
