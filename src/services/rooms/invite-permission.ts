import { type ExistenceQuery, UnansweredQueryError } from "../../appservices/existence-queries.ts";
import { parseUserId, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { UserDirectoryStore } from "../../storage/user-directory.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { AccountDataService } from "../account-data.ts";

/** Who invites. */
interface Inviter {
  readonly userNid: number;
  readonly appserviceId?: string | undefined;
}

/** Keeps invites from those who do not want any (client-server API, "Invite permission"). */
export class InvitePermission {
  readonly #accountData: Pick<AccountDataService, "invitePermission">;
  readonly #userDirectory: Pick<UserDirectoryStore, "shareClosedRoom">;
  readonly #names: NameCache;
  readonly #missing: ExistenceQuery<UserId>;

  /** @param missing makes users that come to be when they are asked for */
  constructor(
    accountData: Pick<AccountDataService, "invitePermission">,
    userDirectory: Pick<UserDirectoryStore, "shareClosedRoom">,
    names: NameCache,
    missing: ExistenceQuery<UserId>,
  ) {
    this.#accountData = accountData;
    this.#userDirectory = userDirectory;
    this.#names = names;
    this.#missing = missing;
  }

  /** @throws MatrixError M_INVITE_BLOCKED for a user of this server who takes no invites from the inviter */
  async check(inviter: Inviter, userId: string): Promise<void> {
    // An application service that invites has all the users that it wants to have.
    if (inviter.appserviceId === undefined) await this.#askFor(userId);
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined) return;
    const action = await this.#accountData.invitePermission(userNid);
    if (action === "allow") return;
    // "Filter the mutual rooms the invitee and inviter share. If none of them have a join rule that is not public …"
    if (action === "deny_public" && (await this.#userDirectory.shareClosedRoom(inviter.userNid, userNid)))
      return;
    throw new MatrixError("M_INVITE_BLOCKED", `${userId} does not want to be invited`);
  }

  /** "Send this request when [the server] receives an event for an unknown user ID [...], such as a room invite." */
  async #askFor(text: string): Promise<void> {
    const userId = parseUserId(text);
    if (userId === undefined) return;
    try {
      await this.#missing.ask(userId);
    } catch (error) {
      // Who is not there, or not yet, can be invited all the same.
      if (!(error instanceof UnansweredQueryError)) throw error;
    }
  }
}
