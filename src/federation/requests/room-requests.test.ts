import t from "tap";
import type { EventId, RoomId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { FederationError } from "../federation-client.ts";
import { RoomRequests } from "./room-requests.ts";

const server = "a.test" as ServerName;
const roomId = "!room:a.test" as RoomId;
const eventId = "$event" as EventId;

function answering(answer: JsonValue): RoomRequests {
  return new RoomRequests({
    request: () => Promise.resolve(answer),
    stream: () => Promise.reject(new Error("not asked for")),
  });
}

t.test("a state of a million events is not believed, and not cut to size either", async (t) => {
  const many = Array.from({ length: 1_000_000 }, () => "$a");
  for (const answer of [
    { pdu_ids: many, auth_chain_ids: [] },
    { pdu_ids: [], auth_chain_ids: many },
  ]) {
    await t.rejects(answering(answer).stateIds(server, roomId, eventId), FederationError);
  }
});

t.test("lists are no longer than was asked for", async (t) => {
  const many = Array.from({ length: 1_000 }, () => ({}));
  t.equal((await answering({ pdus: many }).backfill(server, roomId, [eventId], 100)).length, 100);
  const query = { earliest: [], latest: [eventId], limit: 20 };
  t.equal((await answering({ events: many }).missingEvents(server, roomId, query)).length, 20);
});

t.test("what is no answer is an error", async (t) => {
  for (const answer of [null, [], {}, { pdus: 1, events: "x", event_id: 5, origin_server_ts: "x" }]) {
    const requests = answering(answer);
    await t.rejects(requests.backfill(server, roomId, [eventId], 1), FederationError);
    await t.rejects(requests.closestInTime(server, roomId, 1, "f"), FederationError);
    await t.rejects(requests.stateIds(server, roomId, eventId), FederationError);
  }
});
