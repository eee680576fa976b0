import type { ActingUser } from "../auth/requester.ts";
import { serverNameOf, type ServerName } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { namedUserId } from "../services/named-ids.ts";
import type { Account, AccountStore } from "../storage/accounts.ts";

/**
 * An account of this server that can do something.
 * @throws MatrixError M_INVALID_PARAM for what is no user of this server, M_NOT_FOUND
 */
export async function localAccount(
  accounts: Pick<AccountStore, "find">,
  serverName: ServerName,
  text: string,
): Promise<Account> {
  const userId = namedUserId(text);
  if (serverNameOf(userId) !== serverName) {
    throw new MatrixError("M_INVALID_PARAM", `${userId} is no user of this server`);
  }
  const account = await accounts.find(userId);
  if (account && !account.isDeactivated) return account;
  throw new MatrixError("M_NOT_FOUND", `There is no account ${userId}, or it has been deactivated`);
}

/** What an administrator does in somebody's name. Neither limits nor a suspension stop it. */
export function actingAs({ userNid, userId, isGuest, isAdmin }: Account): ActingUser {
  return { userNid, userId, isGuest, isAdmin, deviceId: "", isSuspended: false, isUnlimited: true };
}
