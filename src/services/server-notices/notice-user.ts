import type { ActingUser } from "../../auth/requester.ts";
import { parseNewUserId, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { StartupError } from "../../config/startup-error.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** What the account is called among accounts, so that it is told from one that somebody has registered. */
const userType = "server_notices";

/**
 * The user in whose name the server writes, made when it is not there. It has no password and no devices.
 * @throws StartupError when the name cannot be one, or is somebody's
 */
export async function noticeUser(
  accounts: AccountStore,
  localpart: string,
  serverName: ServerName,
  clock: Clock,
): Promise<ActingUser> {
  const userId = parseNewUserId(`@${localpart}:${serverName}`);
  if (!userId) throw new StartupError("bad-text", `server_notices.localpart cannot be ${localpart}.`);
  const account = (await accounts.find(userId)) ?? (await made(accounts, userId, clock));
  if (account?.userType !== userType) {
    throw new StartupError(
      "bad-text",
      `${userId} (server_notices.localpart) is somebody's account: choose another.`,
    );
  }
  return {
    userNid: account.userNid,
    userId,
    deviceId: "",
    isGuest: false,
    isAdmin: false,
    isSuspended: false,
  };
}

async function made(accounts: AccountStore, userId: UserId, clock: Clock) {
  await accounts.create(
    {
      userId,
      passwordHash: null,
      createdTs: clock.nowMs(),
      isAdmin: false,
      isGuest: false,
      userType,
      appserviceId: null,
      displayName: null,
    },
    {},
  );
  return accounts.find(userId);
}
