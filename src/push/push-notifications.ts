import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { PushOutcome } from "../protocol/push/actions.ts";
import type { PushEvents } from "../services/notifications/push-events.ts";
import type { RoomStandings } from "../services/notifications/room-standings.ts";
import type { PushRuleService } from "../services/push-rules.ts";
import type { ThreadSubscriptions } from "../services/thread-subscriptions.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { MembershipStore } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Pusher } from "../storage/pushers.ts";
import type { Badges } from "./badges.ts";

/** A pusher, and what its user has told of it. */
export interface DescribedPusher extends Pusher {
  readonly url: URL;
  /** Whether the gateway is to know no more of an event than its ID. */
  readonly eventIdOnly: boolean;
  /** What is passed on to the gateway. */
  readonly data: JsonObject;
}

/** The body of a request to a push gateway, and the badge that it tells. */
export interface PushNotification {
  readonly body: string;
  readonly badge: number;
}

export interface PushNotificationsParts {
  readonly events: Pick<EventReader, "stored">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly names: Pick<NameCache, "userId" | "eventType">;
  readonly memberships: Pick<MembershipStore, "of">;
  readonly standings: Pick<RoomStandings, "of">;
  readonly state: Pick<CurrentState, "event">;
  readonly pushEvents: Pick<PushEvents, "of">;
  readonly pushRules: Pick<PushRuleService, "compiledFor">;
  readonly threads: Pick<ThreadSubscriptions, "inThread">;
  readonly badges: Pick<Badges, "of">;
}

/** Writes what push gateways are told (push gateway API, "Homeserver behaviour"). */
export class PushNotifications {
  readonly #parts: PushNotificationsParts;

  constructor(parts: PushNotificationsParts) {
    this.#parts = parts;
  }

  /** Of an event; `undefined` when the user need not hear of it any longer: it has been read or redacted, for one. */
  async ofEvent(pusher: DescribedPusher, eventNid: number): Promise<PushNotification | undefined> {
    const event = await this.#parts.events.stored(eventNid);
    const outcome = await this.#outcome(pusher.userNid, event);
    if (!outcome?.notify) return undefined;
    const room = await this.#parts.rooms.byNid(event.roomNid);
    const isEncrypted = (await this.#parts.names.eventType(event.typeNid)) === "m.room.encrypted";
    // What can wait lets a phone sleep; of what is encrypted the server cannot tell.
    const isUrgent = outcome.highlight || outcome.tweaks["sound"] !== undefined || isEncrypted;
    const shared = { event_id: event.eventId, room_id: room.roomId, prio: isUrgent ? "high" : "low" };
    if (pusher.eventIdOnly) return this.#notification(pusher, shared);
    const details = await this.#details(pusher.userNid, event, room);
    return this.#notification(pusher, { ...shared, ...details }, outcome.tweaks);
  }

  /** Of nothing but the number of unread messages. */
  ofBadge(pusher: DescribedPusher): Promise<PushNotification> {
    return this.#notification(pusher, { prio: "low" });
  }

  /** What the user's rules say now; `undefined` when the event does not concern them any longer. */
  async #outcome(userNid: number, event: StoredEvent): Promise<PushOutcome | undefined> {
    const { eventNid, roomNid, redactedBy, position } = event;
    if (redactedBy !== null || position === null) return undefined;
    const standing = await this.#parts.standings.of(userNid, roomNid);
    const pushable = await this.#parts.pushEvents.of(eventNid);
    if (standing) {
      const { marks } = standing;
      if (position <= Math.max(marks.joinedAt, marks.upTo(pushable.thread))) return undefined;
    } else {
      const member = await this.#parts.memberships.of(roomNid, userNid);
      if (member?.membership !== "invite" || member.eventNid !== eventNid) return undefined;
    }
    const rules = await this.#parts.pushRules.compiledFor(userNid);
    const userId = await this.#parts.names.userId(userNid);
    const user = { userId, displayName: standing?.displayName };
    const reader = await this.#parts.threads.inThread(user, userNid, roomNid, pushable.thread);
    return rules.evaluate(pushable.event, reader);
  }

  async #details(userNid: number, { senderNid, common }: StoredEvent, room: Room): Promise<JsonObject> {
    const { type, content, state_key: stateKey } = JSON.parse(`{${common}}`) as JsonObject;
    const sender = await this.#parts.names.userId(senderNid);
    const details: Record<string, JsonObject[string] | undefined> = {
      type,
      sender,
      sender_display_name: await this.#text(room, "m.room.member", sender, "displayname"),
      room_name: await this.#text(room, "m.room.name", "", "name"),
      room_alias: await this.#text(room, "m.room.canonical_alias", "", "alias"),
      content,
    };
    if (type === "m.room.member") {
      details["user_is_target"] = stateKey === (await this.#parts.names.userId(userNid));
    }
    return Object.fromEntries(Object.entries(details).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
  }

  async #text(room: Room, type: string, stateKey: string, key: string): Promise<string | undefined> {
    const text = (await this.#parts.state.event(room, type, stateKey))?.content[key];
    return typeof text === "string" && text !== "" ? text : undefined;
  }

  async #notification(
    { userNid, appId, pushkey, setTs, data }: DescribedPusher,
    about: JsonObject,
    tweaks?: JsonObject,
  ): Promise<PushNotification> {
    const badge = await this.#parts.badges.of(userNid);
    const device = {
      app_id: appId,
      pushkey,
      pushkey_ts: Math.floor(setTs / 1000),
      data,
      ...(tweaks && { tweaks }),
    };
    // "Counts whose value is zero should be omitted", but gateways take a count that is missing for one that has not
    // changed: no badge would ever go.
    const notification = { ...about, counts: { unread: badge }, devices: [device] };
    return { body: JSON.stringify({ notification }), badge };
  }
}

/** @throws Error for a pusher that should not have been stored */
export function describe(pusher: Pusher): DescribedPusher {
  const { data } = JSON.parse(pusher.description) as JsonObject;
  if (!isJsonObject(data) || typeof data["url"] !== "string") {
    throw new Error(`pusher ${pusher.pusherNid} has no URL`);
  }
  const { url: _url, ...rest } = data;
  return {
    ...pusher,
    url: new URL(data["url"]),
    eventIdOnly: rest["format"] === "event_id_only",
    data: rest,
  };
}
