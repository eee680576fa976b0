import type { UserDetails } from "../../../admin/users.ts";
import type { ListedUser } from "../../../storage/user-lists.ts";

/** A user in a list, with Synapse's keys. */
export function listedUserJson(user: ListedUser): object {
  return {
    name: user.userId,
    displayname: user.displayName,
    avatar_url: user.avatarUrl,
    is_guest: user.isGuest,
    admin: user.isAdmin,
    user_type: user.userType,
    deactivated: user.isDeactivated,
    erased: user.isErased,
    locked: user.isLocked,
    creation_ts: user.createdTs,
    last_seen_ts: user.lastSeenTs,
  };
}

/** One user, with Synapse's keys. It is in seconds here, and only here, when the account was made. */
export function userJson({ account, contacts, externalIds, ...shown }: UserDetails) {
  return {
    name: account.userId,
    displayname: shown.displayName,
    avatar_url: shown.avatarUrl,
    threepids: contacts.map(({ medium, address, addedTs, validatedTs }) => ({
      medium,
      address,
      added_at: addedTs,
      validated_at: validatedTs,
    })),
    external_ids: externalIds.map(({ providerId, externalId }) => ({
      auth_provider: providerId,
      external_id: externalId,
    })),
    is_guest: account.isGuest,
    admin: account.isAdmin,
    user_type: account.userType,
    deactivated: account.isDeactivated,
    erased: account.isErased,
    locked: account.isLocked,
    suspended: account.isSuspended,
    appservice_id: account.appserviceId,
    creation_ts: Math.floor(account.createdTs / 1000),
    last_seen_ts: shown.lastSeenTs,
  };
}
