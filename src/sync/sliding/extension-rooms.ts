import type { AccountDataEvent, AccountDataService } from "../../services/account-data.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import type { PossibleChanges } from "../possible-changes.ts";
import type { EphemeralStream } from "../streams/ephemeral.ts";
import { type ConnectionState, extensionBits, type RoomExtension } from "./connection-state.ts";
import type { RoomResult } from "./room-results.ts";
import type { SelectedRoom, Selection } from "./room-selection.ts";
import type { ExtensionScope, SlidingRound } from "./sliding-request.ts";

/** What the extensions of an answer go by. */
export interface AnswerRooms {
  readonly selection: Selection;
  readonly state: ConnectionState;
  /** Of the rooms in which something may have changed. */
  readonly results: ReadonlyMap<number, RoomResult>;
  /** Rooms in which the user has read. */
  readonly read: ReadonlySet<number>;
  readonly changes: PossibleChanges;
  /** The client has everything of each room, extensions included. */
  readonly isQuiet: boolean;
}

/** Rooms that an extension covers. */
interface CoveredRooms {
  /** Of which the client gets all that the extension has. */
  readonly whole: readonly SelectedRoom[];
  /** Of which the client has everything up to some position: by that position. */
  readonly since: ReadonlyMap<number, readonly SelectedRoom[]>;
}

/** Whether an extension covers a room (MSC4186, "Extensions"; MSC3575: `lists` and `rooms` of extensions). */
export function isInScope({ room, lists, isSubscribed }: SelectedRoom, scope: ExtensionScope): boolean {
  const wantedRooms = scope.rooms ?? ["*"];
  if (wantedRooms.includes(room.roomId) || (isSubscribed && wantedRooms.includes("*"))) return true;
  const wantedLists = scope.lists ?? ["*"];
  return lists.length > 0 && (wantedLists.includes("*") || lists.some((list) => wantedLists.includes(list)));
}

/** Reads what extensions bring for each room. */
export class ExtensionRooms {
  readonly #accountData: AccountDataService;
  readonly #ephemeral: readonly EphemeralStream[];

  constructor(accountData: AccountDataService, ephemeral: readonly EphemeralStream[]) {
    this.#accountData = accountData;
    this.#ephemeral = ephemeral;
  }

  /** Ephemeral events as JSON, by room ID. */
  async ephemeral(
    round: SlidingRound,
    rooms: AnswerRooms,
    name: "receipts" | "typing",
    scope: ExtensionScope,
  ): Promise<ReadonlyMap<string, string>> {
    const stream = this.#ephemeral.find((candidate) => candidate.stream === name);
    const texts = new Map<string, string>();
    if (!stream) return texts;
    const named = rooms.changes.of(name);
    const mayHaveChanged = (roomNid: number) =>
      !named || named.has(roomNid) || (name === "receipts" && rooms.read.has(roomNid));
    const { whole, since } = coveredRooms(round, rooms, name, scope, mayHaveChanged);
    const { upTo, request } = round;
    const read = async (selected: readonly SelectedRoom[], after: number | undefined) => {
      const byNid = new Map(selected.map(({ room }) => [room.roomNid, room]));
      if (byNid.size === 0) return;
      const query = { device: request.device, roomNids: [...byNid.keys()], since: after, upTo };
      for (const [roomNid, text] of await stream.events(query)) {
        const shown =
          name === "receipts" && after === undefined ? ofTimeline(round, rooms, roomNid, text) : text;
        const room = byNid.get(roomNid);
        if (room && shown !== undefined) texts.set(room.roomId, shown);
      }
    };
    await read(whole, undefined);
    for (const [position, selected] of since) await read(selected, position);
    return texts;
  }

  /** Lists of account data events as JSON, by room ID. */
  async accountData(
    round: SlidingRound,
    rooms: AnswerRooms,
    scope: ExtensionScope,
  ): Promise<ReadonlyMap<string, string>> {
    const mayHaveChanged = () => rooms.changes.has("accountData");
    const { whole, since } = coveredRooms(round, rooms, "account_data", scope, mayHaveChanged);
    const texts = new Map<string, string>();
    const { device } = round.request;
    const add = (
      selected: readonly SelectedRoom[],
      events: ReadonlyMap<string, readonly AccountDataEvent[]>,
    ) => {
      for (const { room } of selected) {
        const ofRoom = events.get(room.roomId);
        if (ofRoom) texts.set(room.roomId, accountDataTexts(ofRoom));
      }
    };
    if (whole.length > 0) add(whole, (await this.#accountData.all(device)).rooms);
    for (const [position, selected] of since) {
      add(selected, (await this.#accountData.changedBetween(device, position, round.upTo)).rooms);
    }
    return texts;
  }
}

/** Account data events as a JSON list. */
export function accountDataTexts(events: readonly AccountDataEvent[]): string {
  const texts = events.map(({ type, content }) => `{"type":${JSON.stringify(type)},"content":${content}}`);
  return `[${texts.join(",")}]`;
}

/** @param mayHaveChanged of rooms that the client has up to its position */
function coveredRooms(
  { since: position }: SlidingRound,
  { selection, state, results }: AnswerRooms,
  name: RoomExtension,
  scope: ExtensionScope,
  mayHaveChanged: (roomNid: number) => boolean,
): CoveredRooms {
  const whole: SelectedRoom[] = [];
  const since = new Map<number, SelectedRoom[]>();
  for (const selected of selection.rooms.values()) {
    const { roomNid, membership } = selected.room;
    const hasExtension = membership === "join" || name === "account_data";
    if (!hasExtension || !isInScope(selected, scope)) continue;
    const sent = state.rooms.get(roomNid);
    const isKnown = sent && (sent.covered & extensionBits[name]) !== 0 && !results.get(roomNid)?.isInitial;
    const after = sent?.upTo ?? position;
    if (!isKnown || after === undefined) whole.push(selected);
    else if (sent.upTo !== null || mayHaveChanged(roomNid))
      since.set(after, [...(since.get(after) ?? []), selected]);
  }
  return { whole, since };
}

/**
 * "On initial sync, receipts MUST only be returned for events sent in the timeline section for each room", beside the
 * user's own (MSC3960).
 */
function ofTimeline(
  { reader }: SlidingRound,
  { results }: AnswerRooms,
  roomNid: number,
  text: string,
): string | undefined {
  const shownIds = results.get(roomNid)?.timelineIds;
  const { content } = JSON.parse(text) as { content: JsonObject };
  const kept = Object.entries(content).flatMap(([eventId, kinds]) => {
    if (shownIds?.has(eventId)) return [[eventId, kinds]];
    const own = isJsonObject(kinds) ? ownReceipts(kinds, reader.userId) : {};
    return Object.keys(own).length > 0 ? [[eventId, own]] : [];
  });
  if (kept.length === 0) return undefined;
  return JSON.stringify({ type: "m.receipt", content: Object.fromEntries(kept) });
}

function ownReceipts(kinds: JsonObject, userId: string): JsonObject {
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([kind, receipts]) => {
      const own = isJsonObject(receipts) ? receipts[userId] : undefined;
      return own === undefined ? [] : [[kind, { [userId]: own }]];
    }),
  );
}
