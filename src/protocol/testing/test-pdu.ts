import type { SigningKey } from "../ed25519.ts";
import { hashAndSignEvent } from "../event-signing.ts";
import type { JsonObject } from "../json.ts";
import type { Pdu } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import { specServer, specSigningKey } from "./spec-key.ts";

/** A message of `@u:domain` as its server would send it, but for what a test changes; it is not signed. */
export function testPdu(
  version: RoomVersion,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const isNamed = version.eventIdFormat === "named";
  const references = isNamed ? [["$p:domain", { sha256: "BBBB" }]] : ["$p"];
  return {
    ...(isNamed ? { event_id: "$e:domain" } : {}),
    type: "m.room.message",
    room_id: version.roomIdIsCreateHash ? "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM" : "!r:domain",
    sender: "@u:domain",
    content: { msgtype: "m.text", body: "hi" },
    origin_server_ts: 1_000_000,
    depth: 7,
    prev_events: references,
    auth_events: references,
    hashes: { sha256: "" },
    signatures: {},
    ...changes,
  };
}

/** The same, hashed and signed by the key of the specification's examples. */
export function signedTestPdu(
  version: RoomVersion,
  changes: JsonObject = {},
  serverName: string = specServer,
  key: SigningKey = specSigningKey,
): Pdu {
  return hashAndSignEvent(version, testPdu(version, changes), serverName, key) as unknown as Pdu;
}
