import { foldCase, Glob } from "../glob.ts";
import type { JsonValue } from "../json.ts";
import { PropertyKey } from "./event.ts";
import type { EventForPush } from "./event.ts";
import type { PushCondition } from "./rules.ts";
import { isSingleWord } from "./word-text.ts";

/** The user whose rules are evaluated. */
export interface PushUser {
  readonly userId: string;
  /** The user's display name in the event's room. */
  readonly displayName: string | undefined;
  /** Whether the user follows the event's thread (MSC4306); absent for an event in none. */
  readonly followsThread?: boolean | undefined;
}

/** What remains to be asked about a condition once the event is known, where that depends on the user. */
export type UserTest = (user: PushUser) => boolean;

/** A condition made ready: what the event alone says about it. Most conditions are settled by the event. */
export type CompiledCondition = (event: EventForPush) => boolean | UserTest;

/**
 * A condition of a server-default rule on the user's own ID. Clients get it with the ID filled in, as `pattern` or
 * `value`; here it is left open, so that one compiled rule can serve all users.
 */
export interface OwnIdCondition {
  readonly kind: "event_match" | "event_property_contains";
  readonly key: string;
  readonly own: "user ID" | "localpart";
}

/** The level that a notification takes where `m.room.power_levels` does not name one. */
const defaultNotificationLevel = 50;

/** The one property in which `event_match` looks for words rather than the whole value. */
const bodyKey = new PropertyKey("content.body");

const never: CompiledCondition = () => false;

/**
 * Makes a condition ready for many events. A condition of an unknown kind, or one whose parameters make no sense,
 * never matches. Specification: "Conditions".
 */
export function compileCondition(condition: PushCondition): CompiledCondition {
  const { kind, key, pattern, value, is, subscribed } = condition;
  if (kind === "contains_display_name") return containsDisplayName;
  if (kind === "room_member_count") return typeof is === "string" ? roomMemberCount(is) : never;
  if (kind === "io.element.msc4306.thread_subscription") {
    return typeof subscribed === "boolean" ? threadSubscription(subscribed) : never;
  }
  if (typeof key !== "string") return never;
  if (kind === "sender_notification_permission") return senderNotificationPermission(key);
  if (kind === "event_match") return typeof pattern === "string" ? eventMatch(key, pattern) : never;
  if (!isPlain(value)) return never;
  if (kind === "event_property_is") return eventPropertyIs(key, value);
  if (kind === "event_property_contains") return eventPropertyContains(key, value);
  return never;
}

/** Makes a condition on the user's own ID ready. The ID stands for itself: what is a wildcard elsewhere is none in it. */
export function compileOwnIdCondition({ kind, key: path, own }: OwnIdCondition): CompiledCondition {
  const key = new PropertyKey(path);
  if (kind === "event_property_contains") {
    return (event) => {
      const elements = event.property(key).elements;
      return elements !== undefined && ((user) => elements.has(ownId(user.userId, own)));
    };
  }
  if (path === bodyKey.path) {
    return (event) => {
      const words = event.property(key).words;
      return words !== undefined && ((user) => words.hasPhrase(foldCase(ownId(user.userId, own))));
    };
  }
  return (event) => {
    const folded = event.property(key).folded;
    return folded !== undefined && ((user) => foldCase(ownId(user.userId, own)) === folded);
  };
}

/** The condition as the user's clients see it. */
export function fillInOwnId({ kind, key, own }: OwnIdCondition, userId: string): PushCondition {
  const id = ownId(userId, own);
  return kind === "event_match" ? { kind, key, pattern: id } : { kind, key, value: id };
}

function ownId(userId: string, part: OwnIdCondition["own"]): string {
  return part === "user ID" ? userId : userId.slice(1, userId.indexOf(":"));
}

/** The case-folded ID of the room that a condition restricts its rule to, if it names one outright. */
export function foldedRoomIdOf({ kind, key, pattern }: PushCondition): string | undefined {
  if (kind !== "event_match" || key !== "room_id" || typeof pattern !== "string") return undefined;
  return new Glob(pattern).literal;
}

/** Whether finding matches of a pattern takes a scan of the property's text, where others take a look-up. */
export function needsScan(key: string, pattern: string): boolean {
  if (/[*?]/.test(pattern)) return true;
  return key === bodyKey.path && !isSingleWord(foldCase(pattern));
}

function eventMatch(path: string, pattern: string): CompiledCondition {
  if (path === bodyKey.path) return bodyMatch(pattern);
  const key = new PropertyKey(path);
  const glob = new Glob(pattern);
  const { literal } = glob;
  if (literal !== undefined) return (event) => event.property(key).folded === literal;
  return (event) => {
    const folded = event.property(key).folded;
    return folded !== undefined && glob.matchesWhole(folded);
  };
}

function bodyMatch(pattern: string): CompiledCondition {
  const folded = foldCase(pattern);
  if (isSingleWord(folded)) return (event) => event.property(bodyKey).words?.hasWord(folded) === true;
  const glob = new Glob(pattern);
  return (event) => event.property(bodyKey).words?.matches(glob) === true;
}

function eventPropertyIs(path: string, value: PlainValue): CompiledCondition {
  const key = new PropertyKey(path);
  return (event) => event.property(key).value === value;
}

function eventPropertyContains(path: string, value: PlainValue): CompiledCondition {
  const key = new PropertyKey(path);
  return (event) => event.property(key).elements?.has(value) === true;
}

function containsDisplayName(event: EventForPush): boolean | UserTest {
  const words = event.property(bodyKey).words;
  if (words === undefined) return false;
  return ({ displayName }) =>
    displayName !== undefined && displayName !== "" && words.hasPhrase(foldCase(displayName));
}

const relatesToKey = new PropertyKey("content.m\\.relates_to");

/** MSC4306. Most events relate to nothing, and so are in no thread. */
function threadSubscription(subscribed: boolean): CompiledCondition {
  return (event) =>
    event.property(relatesToKey).value !== undefined && (({ followsThread }) => followsThread === subscribed);
}

const memberCountRange = /^(==|<=|>=|<|>)?([0-9]{1,15})$/;

/** Whether text is the `is` of a `room_member_count` condition. */
export function isMemberCountRange(text: string): boolean {
  return memberCountRange.test(text);
}

function roomMemberCount(is: string): CompiledCondition {
  const [, comparison = "==", digits] = memberCountRange.exec(is) ?? [];
  if (digits === undefined) return never;
  const limit = Number(digits);
  if (comparison === "<") return ({ room }) => room.memberCount < limit;
  if (comparison === ">") return ({ room }) => room.memberCount > limit;
  if (comparison === "<=") return ({ room }) => room.memberCount <= limit;
  if (comparison === ">=") return ({ room }) => room.memberCount >= limit;
  return ({ room }) => room.memberCount === limit;
}

function senderNotificationPermission(key: string): CompiledCondition {
  return ({ room }) =>
    room.senderPowerLevel >= (room.notificationLevels.get(key) ?? defaultNotificationLevel);
}

/** The values that conditions compare: non-compound canonical JSON. */
type PlainValue = string | number | boolean | null;

/** Whether a value can be compared. */
export function isPlain(value: JsonValue | undefined): value is PlainValue {
  if (typeof value === "number") return Number.isSafeInteger(value);
  return value === null || typeof value === "string" || typeof value === "boolean";
}
