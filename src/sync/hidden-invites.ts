import type { AccountDataService } from "../services/account-data.ts";
import type { Reader } from "../timeline/reader.ts";

/**
 * Invites that a user is not shown: "Servers must not send room invites from ignored users to clients" (client-server
 * API, "Ignoring Users"), and none at all to those who block them ("Invite permission").
 */
export interface HiddenInvites {
  readonly all: boolean;
  /** Users whose invites are not shown. */
  readonly from: ReadonlySet<number>;
}

export async function hiddenInvites(
  { userNid, ignored }: Reader,
  accountData: Pick<AccountDataService, "blocksInvites">,
): Promise<HiddenInvites> {
  return { all: await accountData.blocksInvites(userNid), from: ignored };
}

export function isHidden({ all, from }: HiddenInvites, senderNid: number): boolean {
  return all || from.has(senderNid);
}
