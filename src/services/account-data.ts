import { InviteFilter } from "../protocol/invite-filter.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import {
  type AccountDataEntry,
  type AccountDataLimits,
  type AccountDataScope,
  type AccountDataStore,
  type AccountDataWrite,
  globalScope,
} from "../storage/account-data.ts";
import { ReadCache } from "../storage/read-cache.ts";
import type { LocalUser } from "./local-user.ts";
import type { PushRuleService } from "./push-rules.ts";

/** Account data as sync sends it: `content` is JSON text. */
export interface AccountDataEvent {
  readonly type: string;
  readonly content: string;
}

export interface AccountDataEvents {
  readonly global: readonly AccountDataEvent[];
  readonly rooms: ReadonlyMap<string, readonly AccountDataEvent[]>;
}

/** `deny_public`: none from those whom the user knows from public rooms at most (MSC4494). */
export type InvitePermissionAction = "allow" | "block" | "deny_public";

const denyPublicAction = "uk.timedout.msc4494.deny_public";
const pushRulesType = "m.push_rules";
const ignoredUsersType = "m.ignored_user_list";
const tagType = "m.tag";
/** Types that are changed through endpoints of their own ("Client Config", "Server Behaviour"). */
const serverManagedTypes: readonly string[] = ["m.fully_read", pushRulesType];

const maxTypeBytes = 255;
const maxTagBytes = 255;
/** Far beyond what clients keep, and little enough that no user fills the disk. */
const limits: AccountDataLimits = { maxEntries: 20_000, maxBytes: 32 * 1024 * 1024 };
const invitePermissionType = "m.invite_permission_config";
const inviteFilterType = "org.matrix.msc4155.invite_permission_config";
/** What of the user's global account data the server goes by itself. */
const heededTypes: readonly string[] = [ignoredUsersType, invitePermissionType, inviteFilterType];
/** Everybody who syncs asks for theirs; most lists are empty, and hardly anybody blocks invites. */
const cachedUsers = 20_000;

const nobody: ReadonlySet<string> = new Set();
const everybodyInvites = new InviteFilter({});

/** Whether clients may not set a type of account data, globally or for a room: that is a 405. */
export function isServerManaged(type: string): boolean {
  return serverManagedTypes.includes(type);
}

/** What clients keep about a user and about rooms (client-server API, "Client Config", "Room Tagging"). */
export class AccountDataService {
  readonly #store: AccountDataStore;
  readonly #pushRules: PushRuleService;
  readonly #ignored: ReadCache<number, ReadonlySet<string>>;
  readonly #invitePermission: ReadCache<number, InvitePermissionAction>;
  readonly #inviteFilter: ReadCache<number, InviteFilter>;

  constructor(store: AccountDataStore, pushRules: PushRuleService) {
    this.#store = store;
    this.#pushRules = pushRules;
    this.#ignored = new ReadCache(cachedUsers, (userNid) => this.#readIgnored(userNid));
    this.#invitePermission = new ReadCache(cachedUsers, (userNid) => this.#readInvitePermission(userNid));
    this.#inviteFilter = new ReadCache(cachedUsers, (userNid) => this.#readInviteFilter(userNid));
  }

  /**
   * The content of one entry, as JSON text.
   * @throws MatrixError M_NOT_FOUND.
   */
  async find(user: LocalUser, scope: AccountDataScope, type: string): Promise<string> {
    if (type === pushRulesType && scope === globalScope) return this.#pushRules.contentFor(user);
    const content = await this.#store.find(user.userNid, scope, type);
    if (content === undefined) throw new MatrixError("M_NOT_FOUND", "There is no account data of this type");
    return content;
  }

  /** @throws MatrixError M_INVALID_PARAM for a type that is too long, M_TOO_LARGE when the user keeps too much. */
  async put(userNid: number, scope: AccountDataScope, type: string, content: JsonObject): Promise<void> {
    if (Buffer.byteLength(type) > maxTypeBytes) {
      throw new MatrixError("M_INVALID_PARAM", `A type may have at most ${maxTypeBytes} bytes`);
    }
    const entry = { scope, type, content: JSON.stringify(content) };
    checkStored(await this.#store.put(userNid, entry, limits));
    this.#changed(userNid, scope, type);
  }

  /** Deletes an entry; one that is not there is as good as deleted (MSC3391). */
  async remove(userNid: number, scope: AccountDataScope, type: string): Promise<void> {
    await this.#store.remove(userNid, scope, type);
    this.#changed(userNid, scope, type);
  }

  /** The tags that a user gave a room, each with its content. */
  async tags(userNid: number, roomId: string): Promise<JsonObject> {
    const text = await this.#store.find(userNid, roomId, tagType);
    const content: unknown = text === undefined ? {} : JSON.parse(text);
    // A client may have written m.tag itself, with whatever it liked in it.
    return isJsonObject(content) && isJsonObject(content["tags"]) ? content["tags"] : {};
  }

  /** @throws MatrixError M_INVALID_PARAM for a tag that is too long, M_TOO_LARGE when the user keeps too much. */
  async putTag(userNid: number, roomId: string, tag: string, info: JsonObject): Promise<void> {
    // "The name of a tag MUST NOT exceed 255 bytes."
    if (Buffer.byteLength(tag) > maxTagBytes) {
      throw new MatrixError("M_INVALID_PARAM", `A tag may have at most ${maxTagBytes} bytes`);
    }
    checkStored(await this.#store.putTag(userNid, roomId, tag, JSON.stringify(info), limits));
  }

  async removeTag(userNid: number, roomId: string, tag: string): Promise<void> {
    await this.#store.removeTag(userNid, roomId, tag);
  }

  /** The IDs of the users whom a user ignores (client-server API, "Ignoring Users"). */
  ignoredUsers(userNid: number): Promise<ReadonlySet<string>> {
    return this.#ignored.get(userNid);
  }

  /** From whom a user takes invites (client-server API, "Invite permission"). */
  invitePermission(userNid: number): Promise<InvitePermissionAction> {
    return this.#invitePermission.get(userNid);
  }

  /** Which invites a user does not want, by who sends them (MSC4155). */
  inviteFilter(userNid: number): Promise<InviteFilter> {
    return this.#inviteFilter.get(userNid);
  }

  /** Whether a user takes no invites, from nobody. */
  async blocksInvites(userNid: number): Promise<boolean> {
    return (await this.invitePermission(userNid)) === "block";
  }

  /** To be called when the user's data have been removed elsewhere. */
  forget(userNid: number): void {
    this.#ignored.forget(userNid);
    this.#invitePermission.forget(userNid);
    this.#inviteFilter.forget(userNid);
  }

  /** For sync: what has changed after `since` and not after `upTo`. */
  async changedBetween(user: LocalUser, since: number, upTo: number): Promise<AccountDataEvents> {
    const entries = await this.#store.changedBetween(user.userNid, since, upTo);
    const pushRules = await this.#pushRules.contentChangedBetween(user, since, upTo);
    return byScope(entries, pushRules);
  }

  /** For initial sync: everything. */
  async all(user: LocalUser): Promise<AccountDataEvents> {
    return byScope(await this.#store.all(user.userNid), await this.#pushRules.contentFor(user));
  }

  #changed(userNid: number, scope: AccountDataScope, type: string): void {
    if (scope === globalScope && heededTypes.includes(type)) this.forget(userNid);
  }

  async #readIgnored(userNid: number): Promise<ReadonlySet<string>> {
    const { ignored_users: ignored } = await this.#content(userNid, ignoredUsersType);
    return isJsonObject(ignored) ? new Set(Object.keys(ignored)) : nobody;
  }

  async #readInvitePermission(userNid: number): Promise<InvitePermissionAction> {
    const { default_action: action } = await this.#content(userNid, invitePermissionType);
    if (action === "block") return "block";
    return action === denyPublicAction ? "deny_public" : "allow";
  }

  async #readInviteFilter(userNid: number): Promise<InviteFilter> {
    const content = await this.#content(userNid, inviteFilterType);
    return Object.keys(content).length === 0 ? everybodyInvites : new InviteFilter(content);
  }

  /** The content of one global entry, whatever a client has written; empty when there is none. */
  async #content(userNid: number, type: string): Promise<JsonObject> {
    const content: unknown = JSON.parse((await this.#store.find(userNid, globalScope, type)) ?? "{}");
    return isJsonObject(content) ? content : {};
  }
}

function byScope(entries: readonly AccountDataEntry[], pushRules: string | undefined): AccountDataEvents {
  const global: AccountDataEvent[] = [];
  const rooms = new Map<string, AccountDataEvent[]>();
  if (pushRules !== undefined) global.push({ type: pushRulesType, content: pushRules });
  for (const { scope, type, content } of entries) {
    const event = { type, content };
    const events = scope === globalScope ? global : rooms.get(scope);
    if (events) events.push(event);
    else rooms.set(scope, [event]);
  }
  return { global, rooms };
}

function checkStored(outcome: AccountDataWrite): void {
  if (outcome === "stored") return;
  const bound =
    outcome === "too-many-entries"
      ? `${limits.maxEntries} entries`
      : `${limits.maxBytes / 1024 / 1024} MiB of account data`;
  throw new MatrixError("M_TOO_LARGE", `You may keep at most ${bound}`);
}
