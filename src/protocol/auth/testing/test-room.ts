import type { JsonObject } from "../../json.ts";
import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import { type AuthState, authStateOf } from "../auth-state.ts";
import { authorise } from "../authorise.ts";
import { type PowerLevels, powerLevelsOf } from "../power-levels.ts";
import type { AuthRejection } from "../rejection.ts";
import { type Draft, testEvent, user } from "./test-event.ts";

/** A state that events are judged by. The methods that change something return another room. */
export class TestRoom {
  readonly version: RoomVersion;
  readonly events: readonly RoomEvent[];

  constructor(version: RoomVersion, events: readonly RoomEvent[]) {
    this.version = version;
    this.events = events;
  }

  /** Judges an event by this state. */
  judge(draft: Draft): AuthRejection | undefined {
    return authorise(this.version, testEvent(this.version, draft), this.state);
  }

  get state(): AuthState {
    return authStateOf(this.events);
  }

  /** The power levels in this state. */
  get levels(): PowerLevels {
    const create = this.state.get("m.room.create", "");
    if (create === undefined) throw new Error("The test room has no create event.");
    return powerLevelsOf(this.version, create, this.state.get("m.room.power_levels", ""));
  }

  /** With one more state event, which replaces the one in its place. */
  with(draft: Draft): TestRoom {
    return new TestRoom(this.version, [...this.events, testEvent(this.version, draft)]);
  }

  /** Without the state of a type. */
  without(type: string): TestRoom {
    return new TestRoom(
      this.version,
      this.events.filter((event) => event.type !== type),
    );
  }

  withMember(name: string, membership: string): TestRoom {
    return this.with({ type: "m.room.member", sender: name, key: user(name), content: { membership } });
  }

  withJoinRule(joinRule: string): TestRoom {
    return this.with({
      type: "m.room.join_rules",
      sender: "alice",
      key: "",
      content: { join_rule: joinRule },
    });
  }

  withPowerLevels(content: JsonObject): TestRoom {
    return this.with({ type: "m.room.power_levels", sender: "alice", key: "", content });
  }
}

/**
 * An invite-only room: alice created it, admin has level 100, moderator 50, carol 0; dave is not in it. Inviting takes 10.
 */
export function testRoom(version: RoomVersion, create: JsonObject = {}): TestRoom {
  const content = version.creatorIsSender ? create : { creator: user("alice"), ...create };
  const users = { [user("admin")]: 100, [user("moderator")]: 50 };
  const room = new TestRoom(version, [])
    .with({ type: "m.room.create", sender: "alice", key: "", id: "create", content })
    .withPowerLevels({
      users: version.privilegedCreators ? users : { ...users, [user("alice")]: 100 },
      invite: 10,
      events: { "m.room.power_levels": 50 },
    })
    .withJoinRule("invite");
  return ["alice", "admin", "moderator", "carol"].reduce((so, name) => so.withMember(name, "join"), room);
}
