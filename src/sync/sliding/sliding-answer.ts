import type { JsonPieces } from "../sync-request.ts";
import type { PossibleChanges } from "../possible-changes.ts";
import type { UnreadCountStream } from "../streams/unread-counts.ts";
import {
  type ConnectionState,
  emptyState,
  extensionBits,
  isSameState,
  type RoomExtension,
  type SentRoom,
} from "./connection-state.ts";
import type { ConnectionPoint } from "./connections.ts";
import { type AnswerRooms, isInScope } from "./extension-rooms.ts";
import type { ExtensionSections } from "./extensions.ts";
import { profileFieldsText } from "./profile-extension.ts";
import { RequiredState } from "./required-state.ts";
import type { RoomResult, RoomResults } from "./room-results.ts";
import type { SelectedRoom, Selection } from "./room-selection.ts";
import type { SlidingRound } from "./sliding-request.ts";
import type { RoomLabels } from "./user-rooms.ts";

/** An answer but for its `pos`. */
export interface SlidingAnswer {
  /** The members after `pos`, each with a comma before it. */
  readonly pieces: JsonPieces;
  readonly isEmpty: boolean;
  readonly upTo: number;
  /** What the client has once it gets the answer. */
  readonly state: ConnectionState;
  /** Member events for clients that load them lazily, by room and state pair. */
  readonly sentMembers: ReadonlyMap<number, Map<number, number>>;
}

const noRooms: ReadonlySet<number> = new Set();
const noResults: ReadonlyMap<number, RoomResult> = new Map();

/** Puts together the answers of simplified sliding sync (MSC4186, "Response Body"). */
export class SlidingAnswers {
  readonly #results: RoomResults;
  readonly #extensions: ExtensionSections;
  readonly #unread: UnreadCountStream | undefined;
  /** Selections of which the client has everything: by them, the version of the connection's state. */
  readonly #settled = new WeakMap<Selection, string>();

  constructor(results: RoomResults, extensions: ExtensionSections, unread: UnreadCountStream | undefined) {
    this.#results = results;
    this.#extensions = extensions;
    this.#unread = unread;
  }

  /** What a client has after the first answer of a connection: so much is known before the answer is made. */
  first(round: SlidingRound, selection: Selection): ConnectionState {
    const sent = new Map<number, Pick<RoomResult, "sent">>();
    for (const [roomNid, { timelineLimit, required }] of selection.rooms)
      sent.set(roomNid, { sent: { upTo: null, limit: timelineLimit, required: required.text } });
    return nextState(round, selection, emptyState, sent);
  }

  async make(
    round: SlidingRound,
    point: ConnectionPoint,
    selection: Selection,
    labels: RoomLabels,
    changes: PossibleChanges,
  ): Promise<SlidingAnswer> {
    const { state, version } = point;
    const isSettled = version !== undefined && this.#settled.get(selection) === version;
    const read = await this.#roomsRead(round, changes);
    const isQuiet = isSettled && changes.isEmpty;
    const results = isQuiet
      ? noResults
      : await this.#readRooms(round, selection, state, labels, changes, read);
    const rooms: AnswerRooms = { selection, state, results, read, changes, isQuiet };
    const extensions = await this.#extensions.read(round, rooms);
    const next = isQuiet ? state : nextState(round, selection, state, results);
    if (version !== undefined && isSameState(state, next)) this.#settled.set(selection, version);
    const texts = [...results].flatMap(([roomNid, { text }]) => {
      const roomId = selection.rooms.get(roomNid)?.room.roomId;
      return text === undefined || roomId === undefined ? [] : [`${JSON.stringify(roomId)}:${text}`];
    });
    return {
      pieces: [
        `,"lists":${countsText(selection)},"rooms":{`,
        texts.join(","),
        `},"extensions":${extensions.text}`,
      ],
      isEmpty: texts.length === 0 && extensions.isEmpty,
      upTo: round.upTo,
      state: next,
      sentMembers: membersOf(results),
    };
  }

  async #roomsRead({ reader, since, upTo }: SlidingRound, changes: PossibleChanges) {
    if (!this.#unread || since === undefined || !changes.has("notifications")) return noRooms;
    return new Set(await this.#unread.changedRooms(reader.userNid, since, upTo));
  }

  async #readRooms(
    round: SlidingRound,
    selection: Selection,
    state: ConnectionState,
    labels: RoomLabels,
    changes: PossibleChanges,
    read: ReadonlySet<number>,
  ): Promise<Map<number, RoomResult>> {
    const results = new Map<number, RoomResult>();
    const moved = changes.of("timeline");
    const told = [...selection.rooms.values()].filter((selected) => {
      const { roomNid } = selected.room;
      const sent = state.rooms.get(roomNid);
      const mayHaveMoved = !moved || moved.has(roomNid) || read.has(roomNid);
      return !sent || mayHaveMoved || !isCurrent(round, selected, sent);
    });
    const counts = await this.#unreadCounts(round, told);
    for (const selected of told) {
      const { roomNid, roomId } = selected.room;
      const notes = {
        isDirect: labels.direct.has(roomId),
        isUnreadChanged: read.has(roomNid),
        unread: counts?.get(roomNid)?.room,
      };
      results.set(roomNid, await this.#results.read(round, selected, state.rooms.get(roomNid), notes));
      await round.pace.breathe();
    }
    return results;
  }

  /** Of all rooms together: it takes a few questions to storage, however many they are. */
  async #unreadCounts({ request, reader }: SlidingRound, told: readonly SelectedRoom[]) {
    const joined = told.filter(({ room }) => room.membership === "join");
    if (joined.length === 0 || request.isMergedForm) return undefined;
    const roomNids = joined.map(({ room }) => room.roomNid);
    return this.#unread?.counts(reader.userNid, roomNids, false);
  }
}

/** Whether a client has all of a room in which nothing is known to have happened. */
function isCurrent(
  { since }: SlidingRound,
  { room, timelineLimit, required }: SelectedRoom,
  sent: SentRoom,
): boolean {
  if (sent.upTo !== null || since === undefined || room.position > since) return false;
  if (timelineLimit > sent.limit && room.membership === "join") return false;
  if (sent.required === required.text) return true;
  return required.with(RequiredState.fromText(sent.required)).text === sent.required;
}

function nextState(
  { request: { extensions, device }, since }: SlidingRound,
  selection: Selection,
  state: ConnectionState,
  results: ReadonlyMap<number, Pick<RoomResult, "sent">>,
): ConnectionState {
  const rooms = new Map<number, SentRoom>();
  for (const [roomNid, sent] of state.rooms) {
    // What the client does not look at any more stays as it was when it did.
    if (!selection.rooms.has(roomNid))
      rooms.set(roomNid, sent.upTo === null ? { ...sent, upTo: since ?? 0 } : sent);
  }
  for (const [roomNid, selected] of selection.rooms) {
    const sent = results.get(roomNid)?.sent ?? state.rooms.get(roomNid);
    const { membership, senderNid } = selected.room;
    const isOver = membership === "leave" && senderNid === device.userNid && !selected.isSubscribed;
    if (!sent || isOver) continue;
    rooms.set(roomNid, { ...sent, covered: coverageOf(selected, extensions) });
  }
  return {
    rooms,
    hasAccountData: extensions.accountData !== undefined,
    hasThreadSubscriptions: extensions.threadSubscriptions !== undefined,
    profileFields: profileFieldsText(extensions.profiles),
  };
}

function coverageOf(selected: SelectedRoom, extensions: SlidingRound["request"]["extensions"]): number {
  const scopes = {
    account_data: extensions.accountData,
    receipts: extensions.receipts,
    typing: extensions.typing,
    profiles: extensions.profiles,
  } as const satisfies Record<RoomExtension, unknown>;
  let covered = 0;
  for (const [name, bit] of Object.entries(extensionBits)) {
    const scope = scopes[name as RoomExtension];
    if (scope && isInScope(selected, scope)) covered |= bit;
  }
  return covered;
}

function countsText({ counts }: Selection): string {
  const texts = [...counts].map(([key, count]) => `${JSON.stringify(key)}:{"count":${count}}`);
  return `{${texts.join(",")}}`;
}

function membersOf(results: ReadonlyMap<number, RoomResult>): ReadonlyMap<number, Map<number, number>> {
  const members = new Map<number, Map<number, number>>();
  for (const [roomNid, result] of results) if (result.members.size > 0) members.set(roomNid, result.members);
  return members;
}
