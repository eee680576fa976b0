import { MatrixError } from "../../protocol/matrix-error.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { AccountDataService } from "../account-data.ts";

/** Keeps invites from those who do not want any (client-server API, "Invite permission"). */
export class InvitePermission {
  readonly #accountData: Pick<AccountDataService, "blocksInvites">;
  readonly #names: NameCache;

  constructor(accountData: Pick<AccountDataService, "blocksInvites">, names: NameCache) {
    this.#accountData = accountData;
    this.#names = names;
  }

  /** @throws MatrixError M_INVITE_BLOCKED for a user of this server who takes no invites */
  async check(userId: string): Promise<void> {
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined || !(await this.#accountData.blocksInvites(userNid))) return;
    throw new MatrixError("M_INVITE_BLOCKED", `${userId} does not want to be invited`);
  }
}
