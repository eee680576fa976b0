import { type ExistenceQuery, UnansweredQueryError } from "../../appservices/existence-queries.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { UserDirectoryStore } from "../../storage/user-directory.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { AccountDataService } from "../account-data.ts";

/** Who invites. */
interface Inviter {
  readonly userNid: number;
  readonly appserviceId?: string | undefined;
}

export interface InvitePermissionParts {
  readonly serverName: ServerName;
  readonly accountData: Pick<AccountDataService, "invitePermission" | "inviteFilter" | "ignoredUsers">;
  readonly userDirectory: Pick<UserDirectoryStore, "shareClosedRoom">;
  readonly names: NameCache;
  /** Makes users that come to be when they are asked for. */
  readonly missing: ExistenceQuery<UserId>;
  /** Whether this server talks with others. */
  readonly isFederated: boolean;
}

/** Keeps invites from those who do not want them (client-server API, "Invite permission"; MSC4155) or never hear of them. */
export class InvitePermission {
  readonly #parts: InvitePermissionParts;

  constructor(parts: InvitePermissionParts) {
    this.#parts = parts;
  }

  /**
   * An invite that the user ignores may be sent like any other: it is only not shown.
   * @throws MatrixError M_INVITE_BLOCKED, ORG.MATRIX.MSC4155.M_INVITE_BLOCKED for a user of this server who takes no
   *   invites from the inviter; M_FORBIDDEN for a user of another server where this one talks with none
   */
  async check(inviter: Inviter, userId: string): Promise<void> {
    this.#checkReach(userId);
    // An application service that invites has all the users that it wants to have.
    if (inviter.appserviceId === undefined) await this.#askFor(userId);
    const userNid = await this.#parts.names.findUser(userId);
    if (userNid === undefined) return;
    if (!(await this.#takes(userNid, inviter.userNid)))
      throw new MatrixError("M_INVITE_BLOCKED", `${userId} does not want to be invited`);
    if (await this.#blocks(userNid, await this.#parts.names.userId(inviter.userNid)))
      throw new MatrixError(
        "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED",
        `${userId} does not want to be invited by you`,
      );
  }

  /** An invite that is written here alone would look like one that has been sent. */
  #checkReach(text: string): void {
    const { serverName, isFederated } = this.#parts;
    const userId = isFederated ? undefined : parseUserId(text);
    if (userId === undefined || serverNameOf(userId) === serverName) return;
    throw new MatrixError(
      "M_FORBIDDEN",
      `${userId} cannot be invited: this server does not talk with other servers`,
    );
  }

  async #takes(userNid: number, inviterNid: number): Promise<boolean> {
    const action = await this.#parts.accountData.invitePermission(userNid);
    if (action === "block") return false;
    // "Filter the mutual rooms the invitee and inviter share. If none of them have a join rule that is not public …"
    return action === "allow" || this.#parts.userDirectory.shareClosedRoom(inviterNid, userNid);
  }

  async #blocks(userNid: number, inviterId: string): Promise<boolean> {
    const filter = await this.#parts.accountData.inviteFilter(userNid);
    if (filter.verdict(inviterId) !== "block") return false;
    // 1.1 If it matches `ignored_users` [of m.ignored_user_list], stop processing and ignore.
    return !(await this.#parts.accountData.ignoredUsers(userNid)).has(inviterId);
  }

  /** "Send this request when [the server] receives an event for an unknown user ID [...], such as a room invite." */
  async #askFor(text: string): Promise<void> {
    const userId = parseUserId(text);
    if (userId === undefined) return;
    try {
      await this.#parts.missing.ask(userId);
    } catch (error) {
      // Who is not there, or not yet, can be invited all the same.
      if (!(error instanceof UnansweredQueryError)) throw error;
    }
  }
}
