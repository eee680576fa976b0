import { ProfileRequests } from "../federation/requests/profile-requests.ts";
import { accountDataHandlers } from "../http/handlers/account-data.ts";
import { filterHandlers } from "../http/handlers/filtering.ts";
import { profileHandlers } from "../http/handlers/profile.ts";
import { pushRuleHandlers } from "../http/handlers/push-rules.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { defaultPushRules } from "../protocol/push/default-rules.ts";
import { AccountDataService } from "../services/account-data.ts";
import { FilterService } from "../services/filters.ts";
import { ProfileEditing, type ProfilePropagator } from "../services/profiles/profile-editing.ts";
import { Profiles } from "../services/profiles/profiles.ts";
import { PushRuleService } from "../services/push-rules.ts";
import type { Foundation } from "./foundation.ts";

export interface UserDataParts {
  readonly accountData: AccountDataService;
  readonly pushRules: PushRuleService;
  readonly filters: FilterService;
  readonly profiles: Profiles;
  readonly handlers: readonly BoundEndpoint[];
  /** To be called when an account has ended: what is remembered of its data is gone. */
  forgetUser(userNid: number): void;
}

/** What users keep for themselves, and their profiles to look at. */
export function composeUserData({
  config,
  stores,
  names,
  clock,
  appservices,
  federationClient,
  heardServers,
}: Foundation): UserDataParts {
  const pushRules = new PushRuleService(
    stores.pushRules,
    defaultPushRules({
      polls: true,
      threadSubscriptions: true,
      rtcInvites: true,
      legacyMentions: config.push.mentions_in_text,
    }),
  );
  const accountData = new AccountDataService(stores.accountData, pushRules);
  const filters = new FilterService(stores.filters, clock);
  const profiles = new Profiles(
    stores.profiles,
    stores.accounts,
    names,
    config.server_name,
    appservices.queries.users,
    config.federation.enabled ? new ProfileRequests(federationClient, clock, heardServers) : undefined,
  );
  const handlers = [
    ...accountDataHandlers(accountData),
    ...pushRuleHandlers(pushRules),
    ...filterHandlers(filters),
  ];
  const forgetUser = (userNid: number) => {
    for (const memory of [accountData, pushRules, profiles]) memory.forget(userNid);
  };
  return { accountData, pushRules, filters, profiles, handlers, forgetUser };
}

/** Profiles to change: rooms have to hear of it, and rooms need profiles, so this comes after both. */
export function composeProfiles(
  { stores }: Foundation,
  profiles: Profiles,
  propagator: ProfilePropagator,
): readonly BoundEndpoint[] {
  return profileHandlers(profiles, new ProfileEditing(stores.profiles, profiles, propagator));
}
