/** What a client has of a room on one connection. */
export interface SentRoom {
  /** Up to where the client has the room; `null` for all that its own position covers. */
  readonly upTo: number | null;
  /** So many of the newest events it has without a gap between them; `wholeTimeline` when there are no others. */
  readonly limit: number;
  /** The text of the rules by which it has got state. */
  readonly required: string;
  /** Of which extensions it has all that concerns the room up to the same point: bits of `extensionBits`. */
  readonly covered: number;
}

/** What every position of one version of a connection stands for, beside the position itself. */
export interface ConnectionState {
  readonly rooms: ReadonlyMap<number, SentRoom>;
  /** Whether the client has the account data that belong to no room, up to its position. */
  readonly hasAccountData: boolean;
  /** The same for subscriptions of threads. */
  readonly hasThreadSubscriptions: boolean;
  /** Which fields of profiles it gets, as `profileFieldsText` says it; `null` for none. */
  readonly profileFields: string | null;
}

/** The extensions that bring something for each room. */
export const extensionBits = { account_data: 1, receipts: 2, typing: 4, profiles: 8 } as const;
export type RoomExtension = keyof typeof extensionBits;

/** More events than any client asks for. */
export const wholeTimeline = 1_000_000;

export const emptyState: ConnectionState = {
  rooms: new Map(),
  hasAccountData: false,
  hasThreadSubscriptions: false,
  profileFields: null,
};

type StoredRoom = [roomNid: number, upTo: number | null, limit: number, required: number, covered: number];

/** A state as text. Rooms share their rules. */
export function encodeState({ rooms, ...rest }: ConnectionState): string {
  const rules = new Map<string, number>();
  const stored: StoredRoom[] = [];
  for (const [roomNid, { upTo, limit, required, covered }] of rooms) {
    const index = rules.get(required) ?? rules.size;
    rules.set(required, index);
    stored.push([roomNid, upTo, limit, index, covered]);
  }
  return JSON.stringify({ rooms: stored, rules: [...rules.keys()], ...rest });
}

/** The state that `encodeState` has written. */
export function decodeState(text: string): ConnectionState {
  const { rooms, rules, ...rest } = JSON.parse(text) as Omit<ConnectionState, "rooms"> & {
    rooms: StoredRoom[];
    rules: string[];
  };
  const sent = rooms.map(([roomNid, upTo, limit, index, covered]): [number, SentRoom] => [
    roomNid,
    { upTo, limit, required: rules[index] ?? "[]", covered },
  ]);
  return { rooms: new Map(sent), ...rest };
}

export function isSameState(a: ConnectionState, b: ConnectionState): boolean {
  if (a.rooms.size !== b.rooms.size || a.hasAccountData !== b.hasAccountData) return false;
  if (a.hasThreadSubscriptions !== b.hasThreadSubscriptions) return false;
  if (a.profileFields !== b.profileFields) return false;
  for (const [roomNid, room] of a.rooms) {
    const other = b.rooms.get(roomNid);
    if (other !== room && (!other || !isSameRoom(room, other))) return false;
  }
  return true;
}

function isSameRoom(a: SentRoom, b: SentRoom): boolean {
  return a.upTo === b.upTo && a.limit === b.limit && a.required === b.required && a.covered === b.covered;
}
