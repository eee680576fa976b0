import t from "tap";
import { SigningKey } from "./ed25519.ts";
import { buildEvent } from "./event-builder.ts";
import { hasValidContentHash } from "./event-hash.ts";
import type { RoomId, ServerName, UserId } from "./identifiers.ts";
import type { Pdu } from "./pdu.ts";
import { redact } from "./redaction.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { stickyUntilTs } from "./sticky.ts";

const hour = 3_600_000;

function until(sticky: unknown, originServerTs: number, receivedTs: number): number | undefined {
  const pdu = { ...(sticky !== undefined && { msc4354_sticky: sticky }) };
  return stickyUntilTs({ pdu: pdu as unknown as Pdu, originServerTs }, receivedTs);
}

t.test(
  "an event is sticky from when it was sent or received, whichever was first, for an hour at most",
  async (t) => {
    t.equal(until({ duration_ms: 1_000 }, 50, 60), 1_050);
    t.equal(until({ duration_ms: 1_000 }, 5_000_000, 60), 1_060, "who claims to come from the future");
    t.equal(until({ duration_ms: 0 }, 50, 60), 50);
    t.equal(until({ duration_ms: 2 * hour }, 50, 60), hour + 50);
    for (const sticky of [
      undefined,
      null,
      {},
      5,
      [],
      { duration_ms: "5" },
      { duration_ms: -1 },
      { duration_ms: 1.5 },
    ]) {
      t.equal(until(sticky, 50, 60), undefined, JSON.stringify(sticky));
    }
  },
);

t.test("the key is covered by the hash of the content, and goes with redaction", async (t) => {
  for (const id of ["1", "5", "11", "12"]) {
    const version = rulesOfVersion(id);
    const { event, canonicalJson } = buildEvent(
      version,
      {
        roomId: "!room:a.test" as RoomId,
        type: "m.room.message",
        sender: "@alice:a.test" as UserId,
        content: { body: "here" },
        depth: 1,
        prevEvents: [],
        authEvents: [],
        originServerTs: 1,
        stickyDurationMs: 5_000,
        ...(id === "1" && { eventId: "$event:a.test" as typeof event.eventId }),
      },
      "a.test" as ServerName,
      new SigningKey("ed25519:1", Buffer.alloc(32, 1)),
    );
    t.match(canonicalJson, /"msc4354_sticky":\{"duration_ms":5000\},"origin_server_ts"/);
    t.ok(hasValidContentHash(version, event.pdu));
    t.notOk(hasValidContentHash(version, { ...event.pdu, msc4354_sticky: { duration_ms: 6_000 } }));
    t.notOk("msc4354_sticky" in redact(version, event.pdu));
  }
});
