import { isJsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { type AccountDataStore, globalScope } from "../../storage/account-data.ts";
import type { NameCache } from "../../storage/name-cache.ts";

const configType = "m.invite_permission_config";

/** Which users want to be invited (client-server API, "Invite permission"). */
export class InvitePermission {
  readonly #accountData: Pick<AccountDataStore, "find">;
  readonly #names: NameCache;

  constructor(accountData: Pick<AccountDataStore, "find">, names: NameCache) {
    this.#accountData = accountData;
    this.#names = names;
  }

  /** @throws MatrixError M_INVITE_BLOCKED for a user of this server who takes no invites */
  async check(userId: string): Promise<void> {
    const userNid = await this.#names.findUser(userId);
    if (userNid === undefined || !(await this.blocksInvites(userNid))) return;
    throw new MatrixError("M_INVITE_BLOCKED", `${userId} does not want to be invited`);
  }

  async blocksInvites(userNid: number): Promise<boolean> {
    const text = await this.#accountData.find(userNid, globalScope, configType);
    if (text === undefined) return false;
    const config: unknown = JSON.parse(text);
    return isJsonObject(config) && config["default_action"] === "block";
  }
}
