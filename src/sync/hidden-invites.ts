import type { InviteFilter } from "../protocol/invite-filter.ts";
import type { AccountDataService } from "../services/account-data.ts";
import type { Reader } from "../timeline/reader.ts";

/**
 * Invites that a user is not shown: "Servers must not send room invites from ignored users to clients" (client-server
 * API, "Ignoring Users"), none at all to those who block them ("Invite permission"), and none that they filter out
 * (MSC4155).
 */
export interface HiddenInvites {
  readonly all: boolean;
  /** Users whose invites are not shown. */
  readonly from: ReadonlySet<number>;
  readonly filter: InviteFilter;
}

export type InvitePreferences = Pick<AccountDataService, "blocksInvites" | "inviteFilter">;

export async function hiddenInvites(
  { userNid, ignored }: Reader,
  accountData: InvitePreferences,
): Promise<HiddenInvites> {
  return {
    all: await accountData.blocksInvites(userNid),
    from: ignored,
    filter: await accountData.inviteFilter(userNid),
  };
}

/** @param senderId of the inviter, as is `senderNid` */
export function isHidden({ all, from, filter }: HiddenInvites, senderNid: number, senderId: string): boolean {
  // "Servers SHOULD apply the config against existing pending invites as well": those that would be blocked now, too.
  return all || from.has(senderNid) || filter.verdict(senderId) !== "allow";
}
