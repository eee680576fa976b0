import type { Test } from "tap";
import type { TestClient } from "../support/client.ts";
import type { TestEvent } from "../support/rooms.ts";
import { until } from "../support/within.ts";
import { pauseMs, type Scene } from "./scene.ts";

const waitMs = 120_000;
const pageSize = 100;
const maxPages = 500;

/**
 * All servers hear a last word of each, and then agree: on the state, and on what has been said by those whom nobody has
 * moderated, each message once.
 */
export async function assertAgreement(t: Test, scene: Scene, when: string): Promise<void> {
  // Twice: the first word tells the others what one has done alone, the second rests on what all have done.
  for (let round = 0; round < 2; round++) {
    const words = await Promise.all(scene.parties.map(({ speaker }) => lastWord(scene, speaker)));
    for (const eventId of words) await scene.isEverywhere(eventId);
  }
  await assertSameState(t, scene, when);
  for (const { speaker } of scene.parties) await assertTimeline(t, scene, speaker, when);
}

/** What is missing in a timeline is got from others when somebody reads there, which may take more than one reading. */
async function assertTimeline(t: Test, scene: Scene, reader: TestClient, when: string): Promise<void> {
  const wanted = scene.acknowledged.map(({ eventId }) => eventId).toSorted();
  const known = new Set(wanted);
  let ids: string[] = [];
  const isWhole = async () => {
    ids = (await timelineOf(scene, reader)).map(({ event_id: id }) => id);
    return new Set(ids).isSupersetOf(known);
  };
  await until(waitMs, "every acknowledged message", isWhole, pauseMs).catch(() => undefined);
  t.equal(new Set(ids).size, ids.length, `${when}: ${reader.userId} sees each event once`);
  const seen = ids.filter((id) => known.has(id)).toSorted();
  t.same(seen, wanted, `${when}: ${reader.userId} sees every acknowledged message`);
}

async function lastWord(scene: Scene, speaker: TestClient): Promise<string> {
  const eventId = await scene.say(speaker);
  if (eventId === undefined) throw new Error(`${speaker.userId} cannot speak`);
  return eventId;
}

async function assertSameState(t: Test, scene: Scene, when: string): Promise<void> {
  let states: Record<string, string>[] = [];
  const isSame = async () => {
    states = await Promise.all(scene.parties.map(({ speaker }) => stateOf(scene, speaker)));
    return new Set(states.map((state) => JSON.stringify(state))).size === 1;
  };
  await until(waitMs, "the same state", isSame, pauseMs).catch(() => undefined);
  t.equal(states.length, scene.parties.length, `${when}: all have read the state`);
  const [first, ...others] = states;
  for (const other of others) t.same(other, first, `${when}: the same state`);
}

async function stateOf(
  { roomId }: Scene,
  { server, accessToken }: TestClient,
): Promise<Record<string, string>> {
  const url = `${server.url}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${accessToken}` } });
  const events = (await answer.json()) as readonly TestEvent[];
  const pairs = events.map(({ type, state_key: key = "", event_id: id }) => [`${type} ${key}`, id] as const);
  return Object.fromEntries(pairs.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

async function timelineOf({ roomId }: Scene, user: TestClient): Promise<TestEvent[]> {
  const events: TestEvent[] = [];
  let from = "";
  for (let page = 0; page < maxPages; page++) {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages`;
    const { body } = await user.get(`${path}?dir=b&limit=${pageSize}${from}`);
    events.push(...(body["chunk"] as TestEvent[]));
    const { end } = body;
    if (typeof end !== "string") return events;
    from = `&from=${encodeURIComponent(end)}`;
  }
  throw new Error(`more than ${maxPages} pages`);
}
