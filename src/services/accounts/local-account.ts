import { type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Account, AccountStore } from "../../storage/accounts.ts";

/**
 * The account that an administrator names, whether it is in use or not.
 * @throws MatrixError M_INVALID_PARAM for a user of another server, M_NOT_FOUND
 */
export async function localAccount(
  accounts: Pick<AccountStore, "find">,
  serverName: ServerName,
  userId: UserId,
): Promise<Account> {
  if (serverNameOf(userId) !== serverName) {
    throw new MatrixError("M_INVALID_PARAM", `${userId} is a user of another server`);
  }
  const account = await accounts.find(userId);
  if (account) return account;
  throw new MatrixError("M_NOT_FOUND", `There is no account ${userId}`);
}
