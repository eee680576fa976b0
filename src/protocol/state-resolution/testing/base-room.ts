import { user } from "../../auth/testing/test-event.ts";
import type { JsonObject } from "../../json.ts";
import type { RoomVersion } from "../../room-versions.ts";
import { TestBranch, TestDag } from "./test-dag.ts";

/** Users and their levels, with the creator where the room version wants one listed. */
export function levels(version: RoomVersion, users: Readonly<Record<string, number>>): JsonObject {
  const listed = Object.entries(users).map(([name, level]) => [user(name), level] as const);
  return Object.fromEntries(version.privilegedCreators ? listed : [[user("alice"), 100], ...listed]);
}

/** A public room: alice created it, bob has level 50, charlie 0; all three are in it. */
export function baseRoom(version: RoomVersion, create: JsonObject = {}): TestBranch {
  const content = version.creatorIsSender ? create : { creator: user("alice"), ...create };
  return new TestBranch(new TestDag(version))
    .send({ type: "m.room.create", sender: "alice", key: "", id: "create", content, depth: 1 })
    .member("alice", "alice", "join", { id: "alice" })
    .powerLevels("alice", levels(version, { bob: 50 }), { id: "levels" })
    .joinRule("alice", "public", { id: "public" })
    .member("bob", "bob", "join", { id: "bob" })
    .member("charlie", "charlie", "join", { id: "charlie" });
}
