import type { UserId } from "../../protocol/identifiers.ts";
import { isJsonObject } from "../../protocol/json.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import { type AccountDataStore, globalScope } from "../../storage/account-data.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { AccountDataService } from "../account-data.ts";
import type { LocalUser } from "../local-user.ts";
import type { PushRuleService } from "../push-rules.ts";

/** Kinds of push rule that clients make for one room, with its ID as theirs. */
const ruleKinds = ["override", "room", "underride"] as const;

/** Few are in a room before the one that it replaces says so. */
const maxEarlyMembers = 100;

const directRoomsType = "m.direct";

/** Carries over to a room what its members have settled for the room that it replaces ("Room upgrades", "Server behaviour"). */
export class RoomSuccession {
  readonly #rooms: RoomIndex;
  readonly #state: CurrentState;
  readonly #accountData: AccountDataService;
  readonly #store: AccountDataStore;
  readonly #pushRules: PushRuleService;
  readonly #memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly #names: NameCache;
  readonly #log: Logger;

  constructor(parts: {
    rooms: RoomIndex;
    state: CurrentState;
    accountData: AccountDataService;
    store: AccountDataStore;
    pushRules: PushRuleService;
    memberships: Pick<MembershipStore, "localJoinedNids">;
    names: NameCache;
    log: Logger;
  }) {
    this.#rooms = parts.rooms;
    this.#state = parts.state;
    this.#accountData = parts.accountData;
    this.#store = parts.store;
    this.#pushRules = parts.pushRules;
    this.#memberships = parts.memberships;
    this.#names = parts.names;
    this.#log = parts.log;
  }

  /**
   * To be called when a user has joined a room. Their tags, push rules and direct chats of its predecessor become those of
   * the room; what cannot be carried over stays behind, and the join is none the worse for it.
   */
  async joined(user: LocalUser, room: Room): Promise<void> {
    try {
      const predecessor = await this.predecessor(room);
      if (!predecessor) return;
      await this.#carryTags(user, predecessor.roomId, room.roomId);
      await this.#carryPushRules(user, predecessor.roomId, room.roomId);
      await this.#carryDirectChat(user, predecessor.roomId, room.roomId);
    } catch (error) {
      this.#log.warn({ err: error, roomId: room.roomId }, "a user's settings were not carried over");
    }
  }

  /** To be called when a room has got a tombstone: some may be in the room that it names already, its creator for one. */
  async replaced(room: Room): Promise<void> {
    const tombstone = await this.#state.event(room, "m.room.tombstone", "");
    const roomId = tombstone?.content["replacement_room"];
    const replacement = typeof roomId === "string" ? await this.#rooms.find(roomId) : undefined;
    if (!replacement) return;
    const userNids = await this.#memberships.localJoinedNids(replacement.roomNid, maxEarlyMembers);
    for (const userNid of userNids) {
      const userId = (await this.#names.userId(userNid)) as UserId;
      await this.joined({ userNid, userId }, replacement);
    }
  }

  /** The room that this one replaces, if that one says so, too: anybody can name any room in their own room's create event. */
  async predecessor(room: Room): Promise<Room | undefined> {
    const create = await this.#state.event(room, "m.room.create", "");
    const predecessor = create?.content["predecessor"];
    const roomId = isJsonObject(predecessor) ? predecessor["room_id"] : undefined;
    const old = typeof roomId === "string" ? await this.#rooms.find(roomId) : undefined;
    const tombstone = old && (await this.#state.event(old, "m.room.tombstone", ""));
    return tombstone?.content["replacement_room"] === room.roomId ? old : undefined;
  }

  async #carryTags({ userNid }: LocalUser, from: string, to: string): Promise<void> {
    if (Object.keys(await this.#accountData.tags(userNid, to)).length > 0) return;
    for (const [tag, info] of Object.entries(await this.#accountData.tags(userNid, from))) {
      if (isJsonObject(info)) await this.#accountData.putTag(userNid, to, tag, info);
    }
  }

  async #carryPushRules(user: LocalUser, from: string, to: string): Promise<void> {
    const rules = await this.#pushRules.rulesOf(user);
    for (const kind of ruleKinds) {
      const rule = rules[kind].find(({ rule_id: ruleId }) => ruleId === from);
      if (!rule || rules[kind].some(({ rule_id: ruleId }) => ruleId === to)) continue;
      const conditions = rule.conditions?.map((condition) =>
        condition["pattern"] === from ? { ...condition, pattern: to } : condition,
      );
      const name = { kind, ruleId: to };
      await this.#pushRules.add(user.userNid, name, { actions: rule.actions, conditions }, {});
      if (!rule.enabled) await this.#pushRules.setEnabled(user.userNid, name, false);
    }
  }

  async #carryDirectChat({ userNid }: LocalUser, from: string, to: string): Promise<void> {
    const text = await this.#store.find(userNid, globalScope, directRoomsType);
    const content: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!isJsonObject(content)) return;
    let isChanged = false;
    const direct = Object.entries(content).map(([userId, rooms]) => {
      if (!Array.isArray(rooms) || !rooms.includes(from) || rooms.includes(to)) return [userId, rooms];
      isChanged = true;
      return [userId, [...rooms, to]];
    });
    if (isChanged)
      await this.#accountData.put(userNid, globalScope, directRoomsType, Object.fromEntries(direct));
  }
}
