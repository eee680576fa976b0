import type { Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, redact, say, setState } from "../support/rooms.ts";
import { bothWays, type Peers, titleOf } from "./peer.ts";
import { joinVia, ok, sees, seesState, seeTheSameState } from "../support/views.ts";

async function versionsOf(client: TestClient): Promise<string[]> {
  const body = ok(await client.get("/_matrix/client/v3/capabilities"), "capabilities");
  const { "m.room_versions": versions } = body["capabilities"] as Record<string, { available: object }>;
  return Object.keys(versions?.available ?? {});
}

/** Rooms of every version that both know, made by each of them. */
export function testVersions(t: Test, { hearth, synapse }: Peers): void {
  for (const meeting of bothWays(hearth, synapse)) {
    t.test(`every room version, ${titleOf(meeting)}`, async (t) => {
      const { host, guest } = meeting;
      const alice = await registerUser(host);
      const bob = await registerUser(guest);
      const known = new Set(await versionsOf(bob));
      const versions = (await versionsOf(alice)).filter((version) => known.has(version));
      t.ok(versions.length >= 12, `both know ${versions.join(", ")}`);
      for (const version of versions) {
        await t.test(`version ${version}`, (t) => visit(t, version, alice, bob, host.name));
      }
    });
  }
}

/** Bob comes by the alias and speaks; Alice answers, changes the topic, and redacts what he has said. */
async function visit(
  t: Test,
  version: string,
  alice: TestClient,
  bob: TestClient,
  hostName: string,
): Promise<void> {
  const localpart = `hall-${version.replaceAll(/[^a-z0-9]/gi, "-").toLowerCase()}`;
  const roomId = await createRoom(alice, {
    room_version: version,
    room_alias_name: localpart,
    name: "Hall",
  });
  await say(alice, roomId, "before");
  t.equal(await joinVia(bob, `#${localpart}:${hostName}`, hostName), roomId);
  const hello = await say(bob, roomId, "hello");
  t.equal((await sees(alice, roomId, hello)).content["body"], "hello");
  const answer = await say(alice, roomId, "welcome");
  t.equal((await sees(bob, roomId, answer)).content["body"], "welcome");
  await setState(alice, roomId, "m.room.topic", { topic: "Guests" });
  await seesState(bob, roomId, ["m.room.topic", ""], ({ topic }) => topic === "Guests");
  const redaction = await redact(alice, roomId, hello);
  await sees(bob, roomId, redaction);
  t.same((await sees(bob, roomId, hello)).content, {}, "what was redacted is empty");
  const farewell = await say(bob, roomId, "farewell");
  await sees(alice, roomId, await redact(bob, roomId, farewell));
  t.same((await sees(alice, roomId, farewell)).content, {}, "and so on the other side");
  await seeTheSameState(t, roomId, alice, bob);
}
