import type { NameCache } from "../../storage/name-cache.ts";
import type { DeviceListStream } from "../streams/device-lists.ts";
import type { ProfileFieldNames, ProfileStream, ProfileUpdates } from "../streams/profiles.ts";
import { extensionBits } from "./connection-state.ts";
import { type AnswerRooms, isInScope } from "./extension-rooms.ts";
import type { ProfileExtensionScope, SlidingRound } from "./sliding-request.ts";

/** Whose profiles are new to a client. */
interface NewToClient {
  /** Rooms of which it gets the profiles of all members. */
  readonly whole: number[];
  /** Rooms of which it has them, but for those of members who have come since. */
  readonly covered: number[];
  /** Members whose member events it gets for the first time: those of rooms whose members it loads lazily. */
  readonly users: Set<number>;
}

/** The extension `org.matrix.msc4262.profiles`: profiles of those who share rooms with the user (MSC4262). */
export class ProfileExtension {
  readonly #profiles: ProfileStream;
  readonly #deviceLists: DeviceListStream;
  readonly #names: NameCache;

  constructor(profiles: ProfileStream, deviceLists: DeviceListStream, names: NameCache) {
    this.#profiles = profiles;
    this.#deviceLists = deviceLists;
    this.#names = names;
  }

  /** @returns a JSON object; `undefined` when there is no news */
  async read(round: SlidingRound, rooms: AnswerRooms): Promise<string | undefined> {
    const scope = round.request.extensions.profiles;
    if (!scope || rooms.isQuiet) return undefined;
    const updates: ProfileUpdates = new Map();
    await this.#addNew(updates, round, rooms, scope);
    await this.#addChanges(updates, round, rooms, scope.fields);
    const gone = (await this.#left(round, rooms)).filter((userId) => !updates.has(userId));
    if (updates.size === 0 && gone.length === 0) return undefined;
    const members = [
      ...[...updates].map(([userId, fields]) => `${JSON.stringify(userId)}:${userText(fields)}`),
      ...gone.map((userId) => `${JSON.stringify(userId)}:null`),
    ];
    return `{"users":{${members.join(",")}}}`;
  }

  async #addNew(
    updates: ProfileUpdates,
    round: SlidingRound,
    rooms: AnswerRooms,
    scope: ProfileExtensionScope,
  ): Promise<void> {
    const { whole, covered, users } = await this.#newToClient(rooms, scope);
    const isFirst = !hasAllFields(rooms.state.profileFields, scope.fields);
    if (isFirst) users.add(round.request.device.userNid);
    await this.#profiles.addMembers(updates, whole, 0, [...users], scope.fields);
    if (round.since === undefined || !rooms.changes.memberMoves) return;
    await this.#profiles.addMembers(updates, covered, round.since, [], scope.fields);
  }

  async #newToClient(
    { selection, state, results }: AnswerRooms,
    scope: ProfileExtensionScope,
  ): Promise<NewToClient> {
    const found: NewToClient = { whole: [], covered: [], users: new Set() };
    const knowsFields = hasAllFields(state.profileFields, scope.fields);
    for (const selected of selection.rooms.values()) {
      const { roomNid, membership } = selected.room;
      if (membership !== "join" || !isInScope(selected, scope)) continue;
      const result = results.get(roomNid);
      const isCovered = ((state.rooms.get(roomNid)?.covered ?? 0) & extensionBits.profiles) !== 0;
      const isKnown = knowsFields && isCovered && !result?.isInitial;
      // "When lazy_members is true for a given room, a user's full profile will only be included if …": for these the
      // members of each answer are new, and there is no room of which the client has got them all.
      if (selected.required.isLazy && (isKnown || result?.isInitial)) {
        for (const userNid of await this.#usersOf(result?.members)) found.users.add(userNid);
      } else (isKnown ? found.covered : found.whole).push(roomNid);
    }
    return found;
  }

  async #usersOf(members: ReadonlyMap<number, number> | undefined): Promise<number[]> {
    const userNids: number[] = [];
    for (const pairNid of members?.keys() ?? []) {
      const { type, stateKey } = await this.#names.statePair(pairNid);
      const userNid = type === "m.room.member" ? await this.#names.findUser(stateKey) : undefined;
      if (userNid !== undefined) userNids.push(userNid);
    }
    return userNids;
  }

  async #addChanges(
    updates: ProfileUpdates,
    { request: { device }, since, upTo }: SlidingRound,
    { state, changes }: AnswerRooms,
    names: ProfileFieldNames,
  ): Promise<void> {
    if (since === undefined || state.profileFields === null || !changes.has("profiles")) return;
    await this.#profiles.addChanges(updates, device.userNid, { since, upTo }, names);
  }

  /** Users whom the client need not follow any more. */
  async #left(
    { request: { device }, since }: SlidingRound,
    { changes }: AnswerRooms,
  ): Promise<readonly string[]> {
    if (since === undefined || !(changes.memberMoves || changes.has("membership"))) return [];
    return (await this.#deviceLists.changes(device.userNid, since)).left;
  }
}

/** The fields of a connection as its state has them. */
export function profileFieldsText(scope: ProfileExtensionScope | undefined): string | null {
  if (!scope) return null;
  return scope.fields ? JSON.stringify([...scope.fields].sort()) : "";
}

/** @param text of the fields that the client has so far: see `profileFieldsText` */
function hasAllFields(text: string | null, names: ProfileFieldNames): boolean {
  if (text === null) return false;
  if (text === "") return true;
  if (!names) return false;
  const known = new Set(JSON.parse(text) as string[]);
  return names.every((name) => known.has(name));
}

function userText(fields: ReadonlyMap<string, string | null>): string {
  const updated: string[] = [];
  const removed: string[] = [];
  for (const [name, value] of fields) {
    if (value === null) removed.push(JSON.stringify(name));
    else updated.push(`${JSON.stringify(name)}:${value}`);
  }
  const parts = [
    ...(updated.length > 0 ? [`"updated":{${updated.join(",")}}`] : []),
    ...(removed.length > 0 ? [`"removed":[${removed.join(",")}]`] : []),
  ];
  return `{${parts.join(",")}}`;
}
