import { UserEditing } from "../../admin/user-editing.ts";
import { Users } from "../../admin/users.ts";
import { userAccountHandlers } from "../../http/handlers/admin/user-accounts.ts";
import { userHandlers } from "../../http/handlers/admin/users.ts";
import type { BoundEndpoint } from "../../http/pipeline.ts";
import { ProfileEditing } from "../../services/profiles/profile-editing.ts";
import type { AccountParts } from "../accounts.ts";
import type { ContactParts } from "../contacts.ts";
import type { Foundation } from "../foundation.ts";
import type { RoomParts } from "../rooms.ts";
import type { UserDataParts } from "../user-data.ts";

export interface UserAdministrationSources {
  readonly accounts: AccountParts;
  readonly contacts: ContactParts;
  readonly userData: UserDataParts;
  readonly rooms: RoomParts;
}

/** What administrators do with users. */
export function composeUserAdministration(
  { config, stores, clock, auditLog }: Foundation,
  { accounts: parts, contacts, userData, rooms }: UserAdministrationSources,
): readonly BoundEndpoint[] {
  const { accounts, externalIds } = stores;
  const { registration, ownAccount, moderation, devices, sessionsChanged } = parts;
  const { profiles } = userData;
  const users = new Users({
    accounts,
    contacts: stores.contacts,
    externalIds,
    profiles,
    devices,
    serverName: config.server_name,
  });
  const editing = new UserEditing({
    accounts,
    externalIds,
    registration,
    ownAccount,
    moderation,
    contacts: contacts.contacts,
    profiles: new ProfileEditing(stores.profiles, profiles, rooms.profilePropagation),
    sessionsChanged,
    clock,
  });
  return [
    ...userHandlers({ users, editing, lists: stores.userLists, auditLog }),
    ...userAccountHandlers({ users, editing, moderation, registration, auditLog }),
  ];
}
