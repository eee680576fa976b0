import { ok } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { ProtocolError } from "../errors.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import { authEventTypesFor } from "./auth-event-types.ts";
import { authStateOf } from "./auth-state.ts";
import { authorise } from "./authorise.ts";
import { authoriseStateless } from "./authorise-stateless.ts";
import { powerLevelsOf } from "./power-levels.ts";
import { anyEvents } from "./testing/random-event.ts";
import { testEvent, user, versionNamed } from "./testing/test-event.ts";
import { testRoom } from "./testing/test-room.ts";

const versions = ["1", "5", "9", "10", "12"].map(versionNamed);

/** What a judgement comes to; any error but the core's own is a fault. */
function outcome(judge: () => { rule: string } | undefined): string {
  try {
    return judge()?.rule ?? "allowed";
  } catch (error) {
    if (error instanceof ProtocolError) return error.name;
    throw error;
  }
}

function forAny(check: (version: RoomVersion, events: readonly RoomEvent[]) => void): void {
  const cases = fc.tuple(fc.constantFrom(...versions), fc.array(anyEvents, { minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(cases, ([version, drafts]) =>
      check(
        version,
        drafts.map((draft) => testEvent(version, draft)),
      ),
    ),
    { numRuns: 500 },
  );
}

t.test("no content makes the rules throw", async (t) => {
  const outcomes = new Map<string, number>();
  const note = (result: string) => outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
  forAny((version, events) => {
    const room = [...testRoom(version).events, ...events.slice(1)];
    const [event] = events;
    if (event === undefined) return;
    note(outcome(() => authorise(version, event, authStateOf(room))));
    note(outcome(() => authorise(version, event, authStateOf(events))));
    const referenced = events.slice(1).map((each) => ({ event: each, rejected: false }));
    note(outcome(() => authoriseStateless(version, event, referenced, referenced[0])));
  });
  t.ok(outcomes.has("allowed"), "some are allowed");
  t.ok(outcomes.size >= 8, `different rules refuse: ${[...outcomes.keys()].join(", ")}`);
});

t.test("power levels are always numbers, and pairs always two strings", async () => {
  forAny((version, events) => {
    const [event, create = event] = events;
    if (event === undefined || create === undefined) return;
    const levels = powerLevelsOf(version, create, event);
    const found = [levels.ban, levels.kick, levels.invite, levels.redact];
    found.push(levels.userLevel(user("alice")), levels.userLevel("__proto__"));
    found.push(levels.eventLevel("constructor", true), levels.notificationLevel("toString"));
    ok(found.every((level) => typeof level === "number" && !Number.isNaN(level)));
    const pairs = authEventTypesFor(version, event);
    ok(pairs.flat().every((part) => typeof part === "string"));
    ok(new Set(pairs.map((pair) => JSON.stringify(pair))).size === pairs.length);
  });
});
