import { isJsonObject } from "../protocol/json.ts";
import type { AccountDataService } from "../services/account-data.ts";
import type { PushEvents } from "../services/notifications/push-events.ts";
import type { PushRuleService } from "../services/push-rules.ts";
import type { ThreadSubscriptions } from "../services/thread-subscriptions.ts";
import type { StoredEvent } from "../storage/events.ts";
import { mainThread } from "../storage/receipts.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { PushAudiences, PushUser } from "./push-audiences.ts";

export interface PushJudgeParts {
  readonly audiences: PushAudiences;
  readonly pushEvents: Pick<PushEvents, "of">;
  readonly pushRules: Pick<PushRuleService, "compiledFor">;
  readonly threads: Pick<ThreadSubscriptions, "inThread">;
  readonly accountData: Pick<AccountDataService, "ignoredUsers" | "blocksInvites" | "inviteFilter">;
  readonly names: Pick<NameCache, "findUser" | "userId">;
  readonly pace: Pace;
}

/** Decides whom an event notifies, of those who have pushers. */
export class PushJudge {
  readonly #parts: PushJudgeParts;

  constructor(parts: PushJudgeParts) {
    this.#parts = parts;
  }

  /** The integer IDs of the users whom an event notifies. */
  async notified(event: StoredEvent): Promise<readonly number[]> {
    const notified: number[] = [];
    for (const user of await this.#concerned(event)) {
      await this.#parts.pace.breathe();
      if (await this.#notifies(user, event)) notified.push(user.userNid);
    }
    return notified;
  }

  /** Whether an event notifies one user. */
  async notifies(userNid: number, event: StoredEvent): Promise<boolean> {
    const user = (await this.#concerned(event)).find((concerned) => concerned.userNid === userNid);
    return user !== undefined && this.#notifies(user, event);
  }

  async #concerned(event: StoredEvent): Promise<readonly PushUser[]> {
    const members = await this.#parts.audiences.of(event.roomNid);
    const invited = await this.#invited(event);
    return invited.length === 0 ? members : [...members, ...invited];
  }

  async #notifies(
    user: PushUser,
    { eventNid, roomNid, senderNid, redactedBy }: StoredEvent,
  ): Promise<boolean> {
    if (senderNid === user.userNid || redactedBy !== null) return false;
    const { event, thread } = await this.#parts.pushEvents.of(eventNid);
    const rules = await this.#parts.pushRules.compiledFor(user.userNid);
    const reader =
      thread === mainThread ? user : await this.#parts.threads.inThread(user, user.userNid, roomNid, thread);
    if (rules.evaluate(event, reader)?.notify !== true) return false;
    const ignored = await this.#parts.accountData.ignoredUsers(user.userNid);
    return !ignored.has(event.sender);
  }

  /** Whom an event invites: they are not in the room yet, and want to know. */
  async #invited({ pairNid, senderNid, common }: StoredEvent): Promise<readonly PushUser[]> {
    if (pairNid === null || !common.includes('"invite"')) return [];
    const { type, state_key: userId, content } = JSON.parse(`{${common}}`) as Record<string, unknown>;
    const isInvite = type === "m.room.member" && isJsonObject(content) && content["membership"] === "invite";
    if (!isInvite || typeof userId !== "string") return [];
    const userNid = await this.#parts.names.findUser(userId);
    if (userNid === undefined || !this.#parts.audiences.has(userNid)) return [];
    return (await this.#isHidden(userNid, senderNid)) ? [] : [{ userNid, userId, displayName: undefined }];
  }

  /** Invites that are not shown "MUST be ignored when calculating push notifications" (MSC4155). */
  async #isHidden(userNid: number, inviterNid: number): Promise<boolean> {
    const { accountData, names } = this.#parts;
    if (await accountData.blocksInvites(userNid)) return true;
    const filter = await accountData.inviteFilter(userNid);
    return filter.verdict(await names.userId(inviterNid)) !== "allow";
  }
}
