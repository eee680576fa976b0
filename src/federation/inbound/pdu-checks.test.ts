import t from "tap";
import { SigningKey, VerifyKey } from "../../protocol/ed25519.ts";
import { buildEvent } from "../../protocol/event-builder.ts";
import type { EventId, RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import { PduChecks, RefusedPduError } from "./pdu-checks.ts";

const version = rulesOfVersion("11");
const server = "b.test" as ServerName;
const key = new SigningKey("ed25519:1", Buffer.alloc(32, 7));
const room = { version, roomId: "!room:b.test" as RoomId };

function message(body: string, originServerTs: number) {
  const template = {
    type: "m.room.message",
    sender: `@user:${server}` as UserId,
    roomId: room.roomId,
    content: { body },
    depth: 1,
    prevEvents: ["$prev" as EventId],
    authEvents: [],
    originServerTs,
  };
  return buildEvent(version, template, server, key).event;
}

t.test("an event that was asked for by its ID is that one, of that room, or is refused", async (t) => {
  const verifyKey = new VerifyKey(key.keyId, key.publicKey);
  const checks = new PduChecks(
    { keysOf: async () => [verifyKey] },
    { verify: async (by, signed, signature) => by.verify(signed, signature) },
  );
  const [asked, other] = [message("asked for", 1), message("another", 2)];
  const received = await checks.checkNamed(room, asked.eventId, asked.pdu);
  t.equal(received.event.eventId, asked.eventId);
  const refused = (named: Promise<unknown>) => t.rejects(named, RefusedPduError);
  await refused(checks.checkNamed(room, asked.eventId, other.pdu));
  await refused(checks.checkNamed({ version, roomId: "!other:b.test" as RoomId }, asked.eventId, asked.pdu));
  await refused(checks.checkNamed(room, asked.eventId, { ...asked.pdu, sender: "@else:b.test" }));
  await refused(checks.checkNamed(room, asked.eventId, "no event"));
});
