import type { TestAnswer, TestClient } from "./client.ts";
import type { Json, SyncAnswer } from "./rooms.ts";

const v3 = "/_matrix/client/v3";

/** The content of a room's ephemeral event of a type, if an answer to /sync has one. */
export function ephemeral(answer: SyncAnswer, roomId: string, type: string): Json | undefined {
  const events = answer.find("join", roomId)?.ephemeral.events ?? [];
  return events.find((event) => event.type === type)?.content;
}

/** @param body `undefined` sends none at all */
export function postReceipt(
  client: TestClient,
  roomId: string,
  eventId: string,
  body: unknown = {},
  type = "m.read",
): Promise<TestAnswer> {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/receipt/${type}/${encodeURIComponent(eventId)}`;
  return client.post(path, body, "postReceipt");
}

export function setMarkers(client: TestClient, roomId: string, markers: unknown): Promise<TestAnswer> {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/read_markers`;
  return client.post(path, markers, "setReadMarker");
}

export function setTyping(client: TestClient, roomId: string, body: unknown, userId = client.userId) {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/typing/${encodeURIComponent(userId)}`;
  return client.put(path, body, "setTyping");
}

export function setPresence(client: TestClient, body: unknown, userId = client.userId) {
  return client.put(`${v3}/presence/${encodeURIComponent(userId)}/status`, body, "setPresence");
}

export function getPresence(client: TestClient, userId: string) {
  return client.get(`${v3}/presence/${encodeURIComponent(userId)}/status`, "getPresence");
}

/** What an answer to /sync says of a user's presence. */
export function presenceOf(answer: SyncAnswer, userId: string): Json | undefined {
  const { events = [] } = (answer.body["presence"] ?? {}) as {
    readonly events?: readonly { readonly sender: string; readonly content: Json }[];
  };
  return events.findLast(({ sender }) => sender === userId)?.content;
}
