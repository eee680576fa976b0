import { MatrixError } from "../../protocol/matrix-error.ts";
import type { UserDirectoryStore } from "../../storage/user-directory.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { AccountDataService } from "../account-data.ts";

/** Keeps invites from those who do not want any (client-server API, "Invite permission"). */
export class InvitePermission {
  readonly #accountData: Pick<AccountDataService, "invitePermission">;
  readonly #userDirectory: Pick<UserDirectoryStore, "shareClosedRoom">;
  readonly #names: NameCache;

  constructor(
    accountData: Pick<AccountDataService, "invitePermission">,
    userDirectory: Pick<UserDirectoryStore, "shareClosedRoom">,
    names: NameCache,
  ) {
    this.#accountData = accountData;
    this.#userDirectory = userDirectory;
    this.#names = names;
  }

  /** @throws MatrixError M_INVITE_BLOCKED for a user of this server who takes no invites from the inviter */
  async check(inviter: { readonly userNid: number }, userId: string): Promise<void> {
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined) return;
    const action = await this.#accountData.invitePermission(userNid);
    if (action === "allow") return;
    // "Filter the mutual rooms the invitee and inviter share. If none of them have a join rule that is not public …"
    if (action === "deny_public" && (await this.#userDirectory.shareClosedRoom(inviter.userNid, userNid)))
      return;
    throw new MatrixError("M_INVITE_BLOCKED", `${userId} does not want to be invited`);
  }
}
