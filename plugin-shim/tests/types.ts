/**
 * Checked by `tsc`, never run: the types that the core and OpenCode give us are
 * real ones, and ours fit them.
 */
import type { Plugin, PluginModule } from "@opencode-ai/plugin";
import type {
	Command,
	Core,
	CoreOptions,
	EventTypes,
	eventTypes,
	Method,
	OnDelete,
	Store,
	store,
} from "../../pkg/clankers.js";
import type plugin from "../src/index.ts";
import type server from "../src/server.ts";

type IsAny<Type> = 0 extends 1 & Type ? true : false;
/** Whether a type is `any`, or has one anywhere in its fields, parameters or results. */
type HasAny<Type> =
	IsAny<Type> extends true
		? true
		: Type extends (...parameters: infer Parameters) => infer Result
			? true extends HasAny<Parameters[number]> | HasAny<Result>
				? true
				: false
			: Type extends readonly (infer Element)[]
				? HasAny<Element>
				: Type extends object
					? true extends {
							[Key in keyof Type]-?: HasAny<Type[Key]>;
						}[keyof Type]
						? true
						: false
					: false;
type Holds<Condition extends true> = Condition;
type Not<Condition extends boolean> = Condition extends true ? false : true;
type Same<Left, Right> = [Left, Right] extends [Right, Left] ? true : false;
type Fits<Narrow, Wide> = [Narrow] extends [Wide] ? true : false;

export type Checks = [
	// `HasAny` sees what it is meant to see.
	Holds<
		HasAny<{ deep: { array: (() => unknown)[] } }> extends false ? true : false
	>,
	// biome-ignore lint/suspicious/noExplicitAny: this is the one that has to be found.
	Holds<HasAny<{ deep: { array: ((given: any) => void)[] } }>>,
	// The core's declarations hold no `any`.
	Holds<Not<HasAny<Command>>>,
	Holds<Not<HasAny<CoreOptions>>>,
	Holds<Not<HasAny<EventTypes>>>,
	Holds<Not<HasAny<Store>>>,
	Holds<Not<HasAny<Core>>>,
	Holds<Not<HasAny<ConstructorParameters<typeof Core>>>>,
	Holds<Not<HasAny<typeof eventTypes>>>,
	Holds<Not<HasAny<typeof store>>>,
	// They are what the shim relies on.
	Holds<Same<Core["observe"], (event: unknown, now: number) => number>>,
	Holds<Same<Core["drain"], () => Command[]>>,
	Holds<Same<Core["settle"], (stored: boolean) => void>>,
	Holds<Same<Core["notices"], () => string[]>>,
	Holds<Same<OnDelete, "tombstone" | "keep" | "purge">>,
	Holds<Same<Method, Command["method"]>>,
	Holds<Same<keyof Store["statements"], Method>>,
	Holds<
		Same<
			Method,
			| "session.upsert"
			| "session.delete"
			| "session.revert"
			| "message.upsert"
			| "message.delete"
			| "part.upsert"
			| "part.append"
			| "part.delete"
			| "session.missing"
			| "message.missing"
			| "part.missing"
			| "tool_call.upsert"
			| "usage.upsert"
			| "usage.balance"
			| "session_error.upsert"
			| "permission.upsert"
			| "todo.replace"
			| "rejection.record"
		>
	>,
	// OpenCode takes what we export.
	Holds<Fits<typeof plugin, Plugin>>,
	Holds<Fits<typeof server, PluginModule>>,
];
