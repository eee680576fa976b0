import t from "tap";
import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { EventId } from "../../protocol/identifiers.ts";
import { requestedEvents } from "./requested-events.ts";

function received(eventId: string, prevEventIds: readonly string[], depth = 1): ReceivedEvent {
  return { event: { eventId, prevEventIds, depth } } as unknown as ReceivedEvent;
}

function idsOf(asked: readonly string[], answer: readonly ReceivedEvent[]): string[] {
  return requestedEvents(asked as EventId[], answer).map(({ event }) => event.eventId);
}

t.test(
  "what was asked for comes in the order of the graph, whatever the order and depths of the answer",
  (t) => {
    const answer = [
      received("$d", ["$b", "$c"], 1),
      received("$b", ["$a"], 30),
      received("$c", ["$a"], 20),
      received("$a", ["$missing"], 900),
    ];
    t.same(idsOf(["$d"], answer), ["$a", "$c", "$b", "$d"]);
    t.same(idsOf(["$d"], answer.toReversed()), ["$a", "$c", "$b", "$d"]);
    t.end();
  },
);

t.test("what nobody has asked for is left out", (t) => {
  const answer = [
    received("$b", ["$a"]),
    received("$a", []),
    received("$other", ["$a"]),
    received("$lone", []),
  ];
  t.same(idsOf(["$b"], answer), ["$a", "$b"]);
  t.same(idsOf(["$unknown"], answer), []);
  t.same(idsOf([], answer), []);
  t.end();
});

t.test("events in a circle, and what follows them, are left out", (t) => {
  const circle = [
    received("$a", ["$b"]),
    received("$b", ["$a"]),
    received("$c", ["$a"]),
    received("$d", ["$d"]),
  ];
  t.same(idsOf(["$c", "$d"], circle), []);
  t.same(idsOf(["$c", "$e"], [...circle, received("$e", [])]), ["$e"]);
  t.end();
});

t.test("a long chain is gone through without going deep", (t) => {
  const chain = Array.from({ length: 5_000 }, (_, index) => received(`$${index}`, [`$${index - 1}`], 0));
  const ids = idsOf(["$4999"], chain.toReversed());
  t.equal(ids.length, 5_000);
  t.same([ids[0], ids.at(-1)], ["$0", "$4999"]);
  t.end();
});
