import { boundedCache } from "../../cache/bounded-cache.ts";
import type { InviteFilter } from "../../protocol/invite-filter.ts";
import type { SlidingSyncStore } from "../../storage/sliding-sync.ts";
import { type HiddenInvites, isHidden } from "../hidden-invites.ts";
import type { ConnectionPoint } from "./connections.ts";
import { RequiredState } from "./required-state.ts";
import { passesFilters } from "./room-filters.ts";
import type { ListConfig, RoomConfig, SlidingRequest } from "./sliding-request.ts";
import type { UserRoom, UserRoomList } from "./user-rooms.ts";

/** A room that at least one rule of a request matches, and what its rules want together. */
export interface SelectedRoom {
  readonly room: UserRoom;
  readonly timelineLimit: number;
  readonly required: RequiredState;
  /** Keys of the lists that have it in their ranges. */
  readonly lists: readonly string[];
  readonly isSubscribed: boolean;
}

export interface Selection {
  /** By room. */
  readonly rooms: ReadonlyMap<number, SelectedRoom>;
  /** By list: the rooms in it, whatever its ranges. */
  readonly counts: ReadonlyMap<string, number>;
  /** Rooms that some list or subscription has, whatever its ranges; empty unless an extension asks for them. */
  readonly wanted: ReadonlyMap<number, UserRoom>;
}

interface Remembered {
  readonly list: UserRoomList;
  readonly listVersion: number;
  readonly stateVersion: string | undefined;
  readonly inviteFilter: InviteFilter;
  readonly rules: string;
  readonly selection: Selection;
}

/** Users who sync at a time; whoever asks the same again while nothing has changed costs nothing. */
const rememberedSelections = 10_000;

/** Finds out which rooms the rules of a request match (MSC4186, "Lists and subscriptions"). */
export class RoomSelections {
  readonly #store: Pick<SlidingSyncStore, "spaceChildren">;
  readonly #remembered = boundedCache<string, Remembered>(rememberedSelections);

  constructor(store: Pick<SlidingSyncStore, "spaceChildren">) {
    this.#store = store;
  }

  /**
   * The IDs of the rooms in the spaces that lists are filtered by.
   * @param list tells which spaces the user is joined to: "Unknown spaces or spaces the user is not joined to will be ignored"
   */
  async spaceChildren(
    { lists }: SlidingRequest,
    list: UserRoomList,
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const children = new Map<string, ReadonlySet<string>>();
    for (const [key, { filters }] of lists) {
      const ids = new Set<string>();
      for (const spaceId of new Set(filters.spaces)) {
        if (list.byId.get(spaceId)?.membership !== "join") continue;
        for (const id of await this.#store.spaceChildren(spaceId)) ids.add(id);
      }
      children.set(key, ids);
    }
    return children;
  }

  select(
    request: SlidingRequest,
    point: ConnectionPoint,
    list: UserRoomList,
    spaceChildren: ReadonlyMap<string, ReadonlySet<string>>,
    hidden: HiddenInvites,
  ): Selection {
    const { device, connectionId } = request;
    const key = `${device.userNid} ${device.deviceId.length} ${device.deviceId}${connectionId}`;
    const { toDevice: _ofOther, stickyEvents, ...extensions } = request.extensions;
    const invites = [hidden.all, ...hidden.from];
    const rules = JSON.stringify([
      [...request.lists],
      [...request.subscriptions],
      extensions,
      !stickyEvents,
      invites,
    ]);
    const known = this.#remembered.get(key);
    const isSame =
      known?.list === list &&
      known.inviteFilter === hidden.filter &&
      known.listVersion === list.version &&
      known.stateVersion === point.version &&
      known.rules === rules &&
      ![...request.lists.values()].some(({ filters }) => filters.spaces);
    if (isSame) return known.selection;
    const selection = select(request, point, list, spaceChildren, hidden);
    const remembered = {
      list,
      listVersion: list.version,
      stateVersion: point.version,
      inviteFilter: hidden.filter,
      rules,
      selection,
    };
    this.#remembered.set(key, remembered);
    return selection;
  }
}

interface Match {
  readonly room: UserRoom;
  readonly configs: RoomConfig[];
  readonly lists: string[];
  isSubscribed: boolean;
}

function select(
  { lists, subscriptions, device, extensions }: SlidingRequest,
  point: ConnectionPoint,
  list: UserRoomList,
  spaceChildren: ReadonlyMap<string, ReadonlySet<string>>,
  hidden: HiddenInvites,
): Selection {
  const matches = new Map<number, Match>();
  const counts = new Map<string, number>();
  const wanted = new Map<number, UserRoom>();
  const match = (room: UserRoom, config: RoomConfig): Match => {
    const known = matches.get(room.roomNid) ?? { room, configs: [], lists: [], isSubscribed: false };
    known.configs.push(config);
    matches.set(room.roomNid, known);
    return known;
  };
  const isShown = ({ membership, senderNid }: UserRoom) =>
    membership !== "invite" || !isHidden(hidden, senderNid, list.inviters.get(senderNid) ?? "");
  const listed = list.rooms.filter((room) => isShown(room) && isListed(room, point, device.userNid));
  for (const [key, config] of lists) {
    const children = spaceChildren.get(key) ?? new Set();
    const passed = listed.filter((room) => passesFilters(room, config.filters, list.labels, children));
    counts.set(key, passed.length);
    if (extensions.stickyEvents) for (const room of passed) wanted.set(room.roomNid, room);
    for (const room of inRanges(passed, config)) match(room, config).lists.push(key);
  }
  for (const [roomId, config] of subscriptions) {
    const room = list.byId.get(roomId);
    if (!room || !isShown(room)) continue;
    match(room, config).isSubscribed = true;
    if (extensions.stickyEvents) wanted.set(room.roomNid, room);
  }
  const combining = new Combining(device.userId);
  const rooms = new Map([...matches].map(([roomNid, found]) => [roomNid, combining.of(found)]));
  return { rooms, counts, wanted };
}

/**
 * "Rooms that the user has been in but left are only included if the room was previously sent to the client in that
 * connection", which has to be told of it once. "Rooms the user has been kicked or banned from will always be included."
 */
function isListed(
  { roomNid, membership, senderNid, position }: UserRoom,
  point: ConnectionPoint,
  userNid: number,
): boolean {
  if (membership !== "leave" || senderNid !== userNid) return true;
  const sent = point.state.rooms.get(roomNid);
  return sent !== undefined && position > (sent.upTo ?? point.position ?? 0);
}

function inRanges(rooms: readonly UserRoom[], { ranges }: ListConfig): Iterable<UserRoom> {
  if (!ranges) return rooms;
  return new Set(ranges.flatMap(([first, last]) => rooms.slice(first, last + 1)));
}

/** MSC4186, "Combining room configs": the superset of all. Many rooms have the same. */
class Combining {
  readonly #userId: string;
  readonly #indexes = new Map<RoomConfig, number>();
  readonly #required = new Map<string, RequiredState>();

  constructor(userId: string) {
    this.#userId = userId;
  }

  of({ room, configs, lists, isSubscribed }: Match): SelectedRoom {
    const timelineLimit = Math.max(...configs.map((config) => config.timelineLimit));
    return { room, timelineLimit, required: this.#requiredBy(configs), lists, isSubscribed };
  }

  #requiredBy(configs: readonly RoomConfig[]): RequiredState {
    const key = configs.map((config) => this.#indexOf(config)).join(" ");
    const known = this.#required.get(key);
    if (known) return known;
    const rules = configs.map(({ requiredState }) => requiredState);
    const required = RequiredState.of(rules, this.#userId);
    this.#required.set(key, required);
    return required;
  }

  #indexOf(config: RoomConfig): number {
    const index = this.#indexes.get(config) ?? this.#indexes.size;
    this.#indexes.set(config, index);
    return index;
  }
}
