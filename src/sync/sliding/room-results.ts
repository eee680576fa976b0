import type { EventReader } from "../../state/event-reader.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import { roomStateAfter, type RoomTimelines, startOfTime } from "../../timeline/room-timelines.ts";
import type { RoomView, RoomViews } from "../../timeline/room-view.ts";
import { streamToken } from "../../timeline/stream-token.ts";
import { EventFilter } from "../event-filter.ts";
import type { LazyMembers } from "../lazy-members.ts";
import type { PendingRooms } from "../pending-rooms.ts";
import type { UnreadCounts } from "../streams/unread-counts.ts";
import type { SyncDevice } from "../sync-request.ts";
import type { TimelineWindow, TimelineWindows } from "../timeline-window.ts";
import type { BumpStamps } from "./bump-stamps.ts";
import { type SentRoom, wholeTimeline } from "./connection-state.ts";
import { RequiredState } from "./required-state.ts";
import type { RoomProfiles } from "./room-profiles.ts";
import type { SelectedRoom } from "./room-selection.ts";
import type { RoomStates, StateChoice } from "./room-state.ts";
import type { SharedRoom, SharedRooms } from "./shared-rooms.ts";
import type { SlidingRound } from "./sliding-request.ts";
import type { UserRoom } from "./user-rooms.ts";

/** What an answer brings of a room, and what the client has of it then. */
export interface RoomResult {
  /** A JSON object; `undefined` when there is nothing to tell. */
  readonly text: string | undefined;
  readonly isInitial: boolean;
  readonly sent: Omit<SentRoom, "covered">;
  /** What a client that loads members lazily gets with it, by state pair. */
  readonly members: Map<number, number>;
  readonly timelineIds: ReadonlySet<string>;
}

export interface RoomResultParts {
  readonly memberships: MembershipStore;
  readonly events: EventReader;
  readonly timelines: RoomTimelines;
  readonly views: RoomViews;
  readonly windows: TimelineWindows;
  readonly shared: SharedRooms;
  readonly presenter: EventPresenter;
  readonly states: RoomStates;
  readonly profiles: RoomProfiles;
  readonly bumpStamps: BumpStamps;
  readonly pending: PendingRooms;
  readonly lazyMembers: LazyMembers;
}

/** What is known of a room beside what it is selected by. */
export interface RoomNotes {
  readonly isDirect: boolean;
  /** Whether the user has read in it since. */
  readonly isUnreadChanged: boolean;
  /** Absent where the answer does not tell it, or nothing is unread. */
  readonly unread: UnreadCounts | undefined;
}

/** What is told of one room, and from where on. */
interface Task extends RoomNotes {
  readonly round: SlidingRound;
  readonly selected: SelectedRoom;
  readonly sent: SentRoom | undefined;
  /** Up to where the client has the room; `undefined` when it gets all of it. */
  readonly known: number | undefined;
  /** Where the room ends for the user. */
  readonly end: number;
}

/** Timeline, and the state that goes with it. */
interface Content {
  readonly window: TimelineWindow;
  readonly choice: StateChoice;
  readonly profile: object;
  readonly required: RequiredState;
}

const nobody: ReadonlySet<string> = new Set();

/** Makes the `rooms` of answers (MSC4186, `RoomResult`). */
export class RoomResults {
  readonly #parts: RoomResultParts;

  constructor(parts: RoomResultParts) {
    this.#parts = parts;
  }

  async read(
    round: SlidingRound,
    selected: SelectedRoom,
    sent: SentRoom | undefined,
    notes: RoomNotes,
  ): Promise<RoomResult> {
    const { room } = selected;
    const { membership } = room;
    const known = sent && (await this.#known(round, room, sent));
    const isJoined = membership === "join";
    const end = isJoined ? round.upTo : room.position;
    const task: Task = { round, selected, sent, known, end, ...notes };
    const isPending = membership === "invite" || membership === "knock";
    if (!isJoined && sent && (sent.upTo ?? round.since ?? 0) >= room.position) return unchanged(sent);
    if (isPending) return this.#pending(task);
    if (!isJoined && (await this.#wasOutside(round, room))) return this.#departure(task);
    const shared = isJoined && known === undefined ? await this.#parts.shared.of(round, selected) : undefined;
    return shared ? this.#alike(task, shared) : this.#whole(task);
  }

  /** Up to where the client has the room. Whoever has come back to a room has everything to get anew. */
  async #known(
    { reader, since, upTo }: SlidingRound,
    { roomNid, position, membership }: UserRoom,
    sent: SentRoom | undefined,
  ): Promise<number | undefined> {
    const known = sent && (sent.upTo ?? since);
    if (known === undefined || position <= known) return known;
    const changes = await this.#parts.memberships.changes(reader.userNid, known, upTo);
    const hasJoined = changes.some((change) => change.roomNid === roomNid && change.membership === "join");
    return hasJoined || membership === "invite" || membership === "knock" ? undefined : known;
  }

  /** Whether the user was not in the room when their membership ended: then they see nothing but that. */
  async #wasOutside({ reader }: SlidingRound, { roomNid, position }: UserRoom): Promise<boolean> {
    const history = await this.#parts.memberships.history(reader.userNid, roomNid);
    return history.findLast((change) => change.position < position)?.membership !== "join";
  }

  async #pending({ round, selected, isDirect }: Task): Promise<RoomResult> {
    const { room, lists, required } = selected;
    const state = `[${await this.#parts.pending.strippedState(room)}]`;
    const head = { initial: true, ...headOf(room, lists, isDirect, room.position) };
    const early = round.request.isMergedForm ? "" : `,"invite_state":${state}`;
    return {
      text: `${JSON.stringify(head).slice(0, -1)}${early},"stripped_state":${state}}`,
      isInitial: true,
      sent: { upTo: null, limit: 0, required: required.text },
      members: new Map(),
      timelineIds: nobody,
    };
  }

  async #departure(task: Task): Promise<RoomResult> {
    const { room, required } = task.selected;
    const event = await this.#parts.events.stored(room.eventNid);
    const window: TimelineWindow = {
      events: [event],
      limited: false,
      prevBatch: room.position - 1,
      isWhole: true,
      newest: event,
    };
    const choice = new Map(event.pairNid === null ? [] : [[event.pairNid, event.eventNid]]);
    const view = this.#parts.views.of(room.roomNid, task.round.reader);
    return this.#told(task, view, { window, choice, profile: {}, required }, false);
  }

  /** A room that the user is joined to, or was up to its end. */
  async #whole(task: Task): Promise<RoomResult> {
    const { round, selected, sent, known, end } = task;
    const { room, timelineLimit } = selected;
    const view = this.#parts.views.of(room.roomNid, round.reader);
    const isExpanded = known !== undefined && sent !== undefined && timelineLimit > sent.limit;
    const after = isExpanded ? startOfTime : (known ?? startOfTime);
    const filter = new EventFilter({ limit: timelineLimit });
    const window = await this.#parts.windows.read(view, room.roomNid, after, end, filter);
    const stateThen = known === undefined ? undefined : await this.#stateAt(room.roomNid, known);
    const stateNow = window.newest ? roomStateAfter(window.newest) : await this.#stateAt(room.roomNid, end);
    if (typeof stateThen === "number" && stateNow !== null && stateThen !== stateNow) {
      const isBereft = await this.#parts.profiles.isBereft(stateThen, stateNow);
      if (isBereft) return this.#whole({ ...task, known: undefined });
    }
    const content = await this.#content(task, window, stateThen, stateNow);
    const isEmpty =
      known !== undefined &&
      !isExpanded &&
      !window.limited &&
      !task.isUnreadChanged &&
      window.events.length === 0 &&
      content.choice.size === 0 &&
      Object.keys(content.profile).length === 0;
    if (isEmpty && sent)
      return { ...unchanged(sent), sent: { ...sent, upTo: null, required: content.required.text } };
    return this.#told(task, view, content, isExpanded);
  }

  /** A room that many get alike, but for what is added to it. */
  async #alike(task: Task, shared: SharedRoom): Promise<RoomResult> {
    const { states, profiles } = this.#parts;
    const { round, selected } = task;
    const { room, lists, required, timelineLimit } = selected;
    const { end, text, state, lazy } = shared;
    const own = await states.own(end, required, lazy, round.pace);
    const stateTexts = await states.texts(own, round.pace);
    if (state !== "") stateTexts.push(state);
    const heroes = shared.hasName ? {} : await profiles.heroes(room.roomNid, end, round.reader.userNid);
    const head = {
      ...headOf(room, lists, task.isDirect, shared.bumpStamp ?? room.position),
      ...heroes,
      ...countsOf(task),
      num_live: countLive(shared.window, round.since),
    };
    return {
      text: `{${text},"required_state":[${stateTexts.join(",")}],${JSON.stringify(head).slice(1)}`,
      isInitial: true,
      sent: { upTo: null, limit: timelineLimit, required: required.text },
      members: required.isLazy ? new Map([...own, ...lazy]) : new Map(),
      timelineIds: shared.timelineIds,
    };
  }

  /** @param stateThen what the client has; `undefined` when it gets everything */
  async #content(
    { round, selected, sent, known }: Task,
    window: TimelineWindow,
    stateThen: number | null | undefined,
    stateNow: number | null,
  ): Promise<Content> {
    const { states, profiles, lazyMembers } = this.#parts;
    const { required, room } = selected;
    const { userNid } = round.reader;
    const got = known === undefined ? undefined : lazyMembers.of(lazyDevice(round), room.roomNid);
    const lazy = required.isLazy ? await states.lazyMembers(stateNow, window, got) : [];
    if (stateThen === undefined || known === undefined || !sent) {
      const chosen = await states.chosen(stateNow, required, round.pace);
      const profile = await this.#profile(room, stateNow, userNid);
      return { window, choice: new Map([...chosen, ...lazy]), profile, required };
    }
    const change = await states.difference(stateThen, stateNow);
    // "All membership updates since the last sync when limited is false."
    const changed = await states.chosenOf(change, required, required.isLazy && !isGappy(window, known));
    const earlier = RequiredState.fromText(sent.required);
    const union = required.with(earlier);
    const added =
      union.text === earlier.text ? [] : await states.chosen(stateNow, required, round.pace, earlier);
    const missed = await states.chosenOf(change, earlier, false);
    const isMissing = [...missed.keys()].some((pairNid) => !changed.has(pairNid));
    const isProfileChanged = stateNow !== null && (await profiles.isChangedBy(change));
    return {
      window,
      choice: new Map([...added, ...lazy, ...changed]),
      profile: isProfileChanged ? await this.#profile(room, stateNow, userNid) : {},
      // What older rules let pass has moved on without the client.
      required: isMissing ? required : union,
    };
  }

  async #told(task: Task, view: RoomView, content: Content, isExpanded: boolean): Promise<RoomResult> {
    const { round, selected, sent, known, end } = task;
    const { timelineLimit } = selected;
    const { isMergedForm } = round.request;
    const { window, choice, profile, required } = content;
    const isInitial = known === undefined;
    const isWhole = isInitial || isExpanded;
    const limit = window.limited ? timelineLimit : isWhole || !sent ? wholeTimeline : sent.limit;
    const events = await this.#parts.presenter.present(view, window.events, {
      aggregateUpTo: window.limited || isWhole ? end : undefined,
    });
    const head = {
      ...(isInitial && { initial: true }),
      ...(isExpanded && { expanded_timeline: true }),
      ...(isExpanded && !isMergedForm && { unstable_expanded_timeline: true }),
      ...(await this.#head(task, profile)),
      ...((isWhole || window.limited || events.length > 0) && windowHead(window, round.since)),
    };
    const state = await this.#parts.states.texts(choice, round.pace);
    return {
      text: `${JSON.stringify(head).slice(0, -1)},"required_state":[${state.join(",")}],"timeline":[${events.join(",")}]}`,
      isInitial,
      sent: { upTo: null, limit, required: required.text },
      members: selected.required.isLazy ? entriesOf(choice) : new Map(),
      timelineIds: new Set(window.events.map(({ eventId }) => eventId)),
    };
  }

  async #profile({ roomNid, membership }: UserRoom, state: number | null, userNid: number): Promise<object> {
    const { profiles } = this.#parts;
    if (state === null) return {};
    return membership === "join" ? profiles.of(roomNid, state, userNid) : profiles.ofPast(state);
  }

  /** What tells of the room itself. */
  async #head(task: Task, profile: object): Promise<object> {
    const { selected, isDirect, end } = task;
    const { room, lists } = selected;
    if (room.membership !== "join") return { ...headOf(room, lists, isDirect, room.position), ...profile };
    // Nothing has come since the newest event of the room: what is known of it holds whatever happens elsewhere.
    const bumpStamp = await this.#parts.bumpStamps.of(room.roomNid, Math.min(end, room.activity));
    return {
      ...headOf(room, lists, isDirect, bumpStamp ?? room.position),
      ...profile,
      ...countsOf(task),
    };
  }

  async #stateAt(roomNid: number, position: number): Promise<number | null> {
    const event = await this.#parts.timelines.at(roomNid, position);
    return event ? roomStateAfter(event) : null;
  }
}

/** Lazy loading goes by connection: another one of the same device has members of its own. */
export function lazyDevice({ request: { device, connectionId } }: Pick<SlidingRound, "request">): SyncDevice {
  return { ...device, deviceId: `${device.deviceId} ${connectionId}` };
}

function unchanged(sent: SentRoom): RoomResult {
  return {
    text: undefined,
    isInitial: false,
    sent: { ...sent, upTo: null },
    members: new Map(),
    timelineIds: nobody,
  };
}

function headOf(
  { membership }: UserRoom,
  lists: readonly string[],
  isDirect: boolean,
  bumpStamp: number,
): object {
  return {
    membership,
    bump_stamp: bumpStamp,
    is_dm: isDirect,
    // "The field is omitted if it doesn't match any list."
    ...(lists.length > 0 && { lists }),
  };
}

/** The merged proposal leaves counting to clients. */
function countsOf({ round, unread }: Task): object {
  if (round.request.isMergedForm) return {};
  return { notification_count: unread?.notifications ?? 0, highlight_count: unread?.highlights ?? 0 };
}

function windowHead(window: TimelineWindow, since: number | undefined): object {
  return {
    limited: window.limited,
    prev_batch: streamToken(window.prevBatch),
    num_live: countLive(window, since),
  };
}

/** Whether there is something between what the client has and the window. */
function isGappy({ limited, events }: TimelineWindow, known: number): boolean {
  return limited && (events[0]?.position ?? Number.MAX_SAFE_INTEGER) > known;
}

/** "The number of timeline events which have just occurred and are not historical." */
function countLive({ events }: TimelineWindow, since: number | undefined): number {
  if (since === undefined) return 0;
  return events.filter(({ position }) => (position ?? 0) > since).length;
}

function entriesOf(choice: StateChoice): Map<number, number> {
  const entries = new Map<number, number>();
  for (const [pairNid, eventNid] of choice) if (eventNid !== undefined) entries.set(pairNid, eventNid);
  return entries;
}
