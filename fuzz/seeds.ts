// Makes what the fuzz targets begin with, from the recordings of real releases:
// bun fuzz/seeds.ts FOLDER. Small pieces, since what is long is slow to try.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const [out] = process.argv.slice(2);
if (!out) throw new Error("usage: bun fuzz/seeds.ts FOLDER");

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Fields = { [key: string]: Json };

/** Longer texts are cut. */
const LONGEST = 200;
/** How many events of a recording follow each other in one piece. */
const EVENTS = 6;

const text = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const folders = (...path: string[]) => readdirSync(join(root, ...path)).sort();
const lines = (...path: string[]) => text(...path).split("\n").filter((line) => line !== "");

/** The same value with its texts cut. */
function cut(value: Json): Json {
  if (typeof value === "string") return value.slice(0, LONGEST);
  if (Array.isArray(value)) return value.slice(0, 4).map(cut);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cut(inner)]));
}

/** Which fields a value has, and what kind of it: values alike are one seed. */
function shape(value: Json): string {
  if (value === null || typeof value !== "object") return typeof value;
  if (Array.isArray(value)) return `[${value.slice(0, 1).map(shape)}]`;
  const kind = ["type", "role", "status", "tool"].map((key) => value[key]).filter((word) => typeof word === "string");
  return `{${kind}:${Object.entries(value).map(([key, inner]) => key + shape(inner))}}`;
}

const made = new Map<string, number>();
function seed(target: string, content: string) {
  const count = made.get(target) ?? 0;
  made.set(target, count + 1);
  mkdirSync(join(out as string, target), { recursive: true });
  writeFileSync(join(out as string, target, `seed-${count}`), content);
}

const seen = new Set<string>();
/** One document by itself, the first of its shape. */
function seedShape(target: string, value: Json) {
  const key = `${target} ${shape(value)}`;
  if (seen.has(key)) return;
  seen.add(key);
  seed(target, `${JSON.stringify(value)}\n`);
}

/** A recording's events, each by itself and some after each other. */
function seedEvents(target: string, dialect: string, recording: string[]) {
  const events = recording.map((line) => cut((JSON.parse(line) as { event: Json }).event));
  for (const event of events) seedShape(target, event);
  const words = ["drain", "fail", "slice", "unheard", "fail a slice"];
  // Two places of each: a begin, and what most recordings have in their middle.
  for (const from of [0, Math.floor(events.length / 2)]) {
    const told = events.slice(from, from + EVENTS).flatMap((event, at) => (at % 3 === 2 ? [words[(from + at) % 5] as Json, event] : [event]));
    seed("sequences", [dialect as Json, ...told].map((one) => `${JSON.stringify(one)}\n`).join(""));
  }
}

for (const release of folders("tests/fixtures").filter((name) => name !== "opencode2")) {
  for (const file of folders("tests/fixtures", release).filter((name) => name.endsWith(".jsonl"))) {
    const dialect = release.startsWith("kilo-") ? "kilo" : "opencode1";
    seedEvents("decode1", dialect, lines("tests/fixtures", release, file));
  }
}
for (const release of folders("tests/fixtures/opencode2")) {
  for (const file of folders("tests/fixtures/opencode2", release)) {
    if (file.endsWith(".jsonl")) {
      seedEvents("decode2", "opencode2", lines("tests/fixtures/opencode2", release, file));
      continue;
    }
    const truth = JSON.parse(text("tests/fixtures/opencode2", release, file)) as { sessions: Fields[] };
    for (const { session, messages } of truth.sessions) {
      seedShape("decode2", cut(session as Json));
      for (const message of messages as Json[]) seedShape("decode2", cut(message));
    }
  }
}

for (const home of folders("cli/tests/homes").filter((name) => name !== "make.ts")) {
  for (const file of folders("cli/tests/homes", home)) {
    if (file === "export.json" || file === "sanitized.json") {
      const { info, messages } = JSON.parse(text("cli/tests/homes", home, file)) as Fields;
      const engine = home.startsWith("2.") ? "decode2" : "decode1";
      for (const message of messages as Json[]) {
        seedShape(engine, cut(message));
        seedShape("import", cut({ info, messages: [message] } as Json));
      }
    }
    if (file === "opencode.jsonl" || file === "kilo.jsonl") {
      // Rows of each table, in twos: what is in them, not how they hang together.
      const rows = lines("cli/tests/homes", home, file).map((line) => JSON.parse(line) as Fields);
      const known = rows.filter(({ row }) => row);
      const of = (session: Json) => known.filter(({ row }) => [(row as Fields).session_id, (row as Fields).id].includes(session));
      for (const { table, row } of known) {
        if (table !== "session" && table !== "session_v2") continue;
        const own = of((row as Fields).id as Json).slice(0, EVENTS).map((one) => cut(parsed(one)));
        seed("import", own.map((one) => `${JSON.stringify(one)}\n`).join(""));
      }
    }
  }
}

/** A row whose columns that hold JSON are that. */
function parsed({ table, row }: Fields): Json {
  const read = (value: Json) => (typeof value === "string" && /^[{[]/.test(value) ? (JSON.parse(value) as Json) : value);
  return { table, row: Object.fromEntries(Object.entries(row as Fields).map(([name, value]) => [name, read(value)])) } as Json;
}

/** The frame of a request. */
function frame(request: Json): string {
  const body = JSON.stringify(request);
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const batches = new Map<string, Json>();
for (const snapshot of folders("tests/snapshots").filter((name) => name.endsWith(".snap"))) {
  for (const line of lines("tests/snapshots", snapshot).filter((line) => line.startsWith('{"method"'))) {
    const { method, params } = JSON.parse(line) as Fields;
    if (!batches.has(method as string)) batches.set(method as string, cut(params as Json));
  }
}
const request = (id: Json, method: string, params: Json) => ({ jsonrpc: "2.0", id, method, params });
const hello = { clientName: "seed", clientVersion: "1", protocol: 1 };
seed("frames", `\x05${frame(request(1, "hello", hello))}${frame(request("b", "health", {}))}`);
for (const [method, params] of batches) {
  seed("frames", `\x40${frame(request(1, method, params))}`);
  const batch = { id: { writer: "w", number: 1 }, database: "d", commands: [{ method, params }] };
  seed("frames", `\xff${frame(request(null, "batch", batch))}`);
}
