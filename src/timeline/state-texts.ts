import { LRUCache } from "lru-cache";
import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { EventPresenter } from "./event-presenter.ts";

/** A way to write a state down. */
export interface StateRendering {
  /** Tells it from every other, whatever its parameters. */
  readonly name: string;
  /** Whether an event is part of it. */
  includes(event: StoredEvent, isMember: boolean): boolean;
  /** How an event is written, where that is not as clients get state events. */
  readonly text?: (event: StoredEvent) => string;
  /** The only types and state keys that it may include, where they are few: the state need not be read as a whole then. */
  readonly pairs?: readonly (readonly [type: string, stateKey: string])[];
}

/** Every state event. */
export const wholeState: StateRendering = { name: "whole", includes: () => true };
export const stateWithoutMembers: StateRendering = {
  name: "without members",
  includes: (_event, isMember) => !isMember,
};

/** The same states are sent to many users: first syncs of a fleet are copies of these. */
const cachedBytes = 128 * 1024 * 1024;
const overheadBytes = 200;
const eventsAtOnce = 200;
/** The events of a larger state would take the places of all others in memory, and its text is what is asked for again. */
const maxKeptEvents = 2_000;

export interface StateTextParts {
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly names: NameCache;
  readonly presenter: EventPresenter;
}

/** Whole room states as the JSON that clients get. */
export class StateTexts {
  readonly #parts: StateTextParts;
  /** By room first, since a redaction takes away all of a room's. */
  readonly #keysOfRoom = new Map<number, Set<string>>();
  readonly #texts = new LRUCache<string, { readonly roomNid: number; readonly text: Buffer }>({
    maxSize: cachedBytes,
    sizeCalculation: ({ text }, key) => text.length + key.length + overheadBytes,
    dispose: ({ roomNid }, key) => this.#forgetKey(roomNid, key),
  });
  readonly #underWay = new Map<string, Promise<Buffer>>();

  constructor(parts: StateTextParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, redactedNid } of changes) if (redactedNid !== undefined) this.#forgetRoom(nid);
  };

  /**
   * The events of a state, as JSON joined by commas.
   * @param roomId set where each event has to name its room
   */
  async of(
    roomNid: number,
    snapshotNid: number,
    rendering: StateRendering,
    pace: Pace,
    roomId?: string,
  ): Promise<Buffer> {
    const key = `${snapshotNid} ${roomId === undefined} ${rendering.name}`;
    const known = this.#texts.get(key);
    if (known) return known.text;
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const making = this.#make(snapshotNid, rendering, pace, roomId);
    this.#underWay.set(key, making);
    this.#addKey(roomNid, key);
    try {
      const text = await making;
      if (this.#underWay.get(key) === making) this.#texts.set(key, { roomNid, text });
      return text;
    } finally {
      if (this.#underWay.get(key) === making) this.#underWay.delete(key);
      // A failed one, or one that is too large to be kept, leaves nothing to take away.
      if (!this.#texts.has(key) && !this.#underWay.has(key)) this.#forgetKey(roomNid, key);
    }
  }

  async #make(
    snapshotNid: number,
    rendering: StateRendering,
    pace: Pace,
    roomId: string | undefined,
  ): Promise<Buffer> {
    const eventNids = await this.#eventNids(snapshotNid, rendering);
    const memberType = await this.#parts.names.findEventType("m.room.member");
    const isKept = eventNids.length <= maxKeptEvents;
    const pieces: Buffer[] = [];
    for (let start = 0; start < eventNids.length; start += eventsAtOnce) {
      const nids = eventNids.slice(start, start + eventsAtOnce);
      const events = await (isKept
        ? this.#parts.events.storedAll(nids)
        : this.#parts.events.storedOnce(nids));
      const wanted = events.filter((event) => rendering.includes(event, event.typeNid === memberType));
      const texts = rendering.text
        ? wanted.map(rendering.text)
        : await this.#parts.presenter.presentState(wanted, roomId);
      if (texts.length > 0) pieces.push(Buffer.from((pieces.length === 0 ? "" : ",") + texts.join(",")));
      await pace.breathe();
    }
    return Buffer.concat(pieces);
  }

  async #eventNids(snapshotNid: number, { pairs }: StateRendering): Promise<number[]> {
    const { names, snapshots } = this.#parts;
    if (!pairs) return [...(await snapshots.map(snapshotNid)).values()];
    // A pair may be named more than once.
    const eventNids = new Set<number>();
    for (const [type, stateKey] of pairs) {
      const pairNid = await names.findStatePair(type, stateKey);
      const eventNid = pairNid === undefined ? undefined : await snapshots.get(snapshotNid, pairNid);
      if (eventNid !== undefined) eventNids.add(eventNid);
    }
    return [...eventNids];
  }

  #addKey(roomNid: number, key: string): void {
    const keys = this.#keysOfRoom.get(roomNid);
    if (keys) keys.add(key);
    else this.#keysOfRoom.set(roomNid, new Set([key]));
  }

  #forgetKey(roomNid: number, key: string): void {
    const keys = this.#keysOfRoom.get(roomNid);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOfRoom.delete(roomNid);
  }

  #forgetRoom(roomNid: number): void {
    for (const key of this.#keysOfRoom.get(roomNid) ?? []) {
      // One that is being made may hold what was just taken away: whoever waits gets it, nobody else.
      this.#underWay.delete(key);
      this.#texts.delete(key);
    }
    this.#keysOfRoom.delete(roomNid);
  }
}
