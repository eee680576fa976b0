import type { EventId } from "../../identifiers.ts";
import type { JsonObject } from "../../json.ts";
import type { RoomVersion } from "../../room-versions.ts";
import type { AuthRejection } from "../rejection.ts";
import type { RuleCase } from "./rule-cases.ts";
import type { Draft } from "./test-event.ts";
import type { TestRoom } from "./test-room.ts";

/** Judges a create event, which is well formed but for what a case changes. */
function judgeCreate(
  room: TestRoom,
  version: RoomVersion,
  change: Partial<Draft>,
  content: JsonObject = {},
): AuthRejection | undefined {
  const creator: JsonObject = version.creatorIsSender ? {} : { creator: "@alice:example.org" };
  const draft = { type: "m.room.create", sender: "alice", key: "", ...change };
  return room.judge({ ...draft, content: { ...creator, ...content } });
}

const plain: RuleCase["allowed"] = (room, version) => judgeCreate(room, version, {});

/** Rule 1: the create event. */
export const createCases: readonly RuleCase[] = [
  {
    rule: "create.prev_events",
    refused: (room, version) => judgeCreate(room, version, { prev: ["$earlier" as EventId] }),
    allowed: plain,
  },
  {
    rule: "create.room_id",
    about: "another server's",
    versions: (version) => !version.roomIdIsCreateHash,
    refused: (room, version) => judgeCreate(room, version, { roomId: "!room:elsewhere.org" }),
    allowed: (room, version) =>
      judgeCreate(room, version, { roomId: "!room:elsewhere.org", sender: "@eve:elsewhere.org" }),
  },
  {
    rule: "create.room_id",
    about: "one without a server",
    versions: (version) => !version.roomIdIsCreateHash,
    refused: (room, version) => judgeCreate(room, version, { roomId: "!room" }),
    allowed: plain,
  },
  {
    rule: "create.room_id",
    about: "any at all",
    versions: (version) => version.roomIdIsCreateHash,
    refused: (room, version) => judgeCreate(room, version, { roomId: "!create" }),
    allowed: plain,
  },
  {
    rule: "create.room_version",
    refused: (room, version) => judgeCreate(room, version, {}, { room_version: "org.example.unheard-of" }),
    allowed: (room, version) => judgeCreate(room, version, {}, { room_version: version.id }),
  },
  {
    rule: "create.room_version",
    about: "a number",
    refused: (room, version) => judgeCreate(room, version, {}, { room_version: Number(version.id) }),
    allowed: plain,
  },
  {
    rule: "create.creator",
    refused: (room) => room.judge({ type: "m.room.create", sender: "alice", key: "" }),
    allowed: plain,
  },
  ...["@bob:example.org", { 0: "@bob:example.org" }, [7], ["bob"], ["@bob:"]].map(
    (additional): RuleCase => ({
      rule: "create.additional_creators",
      about: JSON.stringify(additional),
      refused: (room, version) => judgeCreate(room, version, {}, { additional_creators: additional }),
      allowed: (room, version) =>
        judgeCreate(room, version, {}, { additional_creators: ["@bob:example.org", "@eve:[::1]:8448"] }),
    }),
  ),
];
