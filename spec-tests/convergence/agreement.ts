import type { Test } from "tap";
import type { TestClient } from "../support/client.ts";
import { statesSeen, timelineOf } from "../support/views.ts";
import { foundWithin } from "../support/within.ts";
import { pauseMs, type Scene } from "./scene.ts";

const waitMs = 120_000;

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
    ids = (await timelineOf(reader, scene.roomId)).map(({ event_id: id }) => id);
    return new Set(ids).isSupersetOf(known);
  };
  await foundWithin(waitMs, isWhole, pauseMs);
  t.equal(new Set(ids).size, ids.length, `${when}: ${reader.userId} sees each event once`);
  const seen = ids.filter((id) => known.has(id)).toSorted();
  t.same(seen, wanted, `${when}: ${reader.userId} sees every acknowledged message`);
}

async function lastWord(scene: Scene, speaker: TestClient): Promise<string> {
  const eventId = await scene.say(speaker);
  if (eventId === undefined) throw new Error(`${speaker.userId} cannot speak`);
  return eventId;
}

async function assertSameState(t: Test, { parties, roomId }: Scene, when: string): Promise<void> {
  const speakers = parties.map(({ speaker }) => speaker);
  const [first, ...others] = await statesSeen(roomId, speakers, waitMs, pauseMs);
  for (const other of others) t.same(other, first, `${when}: the same state`);
}
