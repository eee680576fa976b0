import type { Config } from "../config/schema.ts";
import type { Stores } from "../storage/database.ts";
import type { IdentityFlows } from "./interactive.ts";

/** How users prove who they are: by their password, or by a provider of single sign-on that has signed them in before. */
export function identityFlows(
  { accounts, externalIds }: Pick<Stores, "accounts" | "externalIds">,
  { sso }: Pick<Config, "sso">,
): IdentityFlows {
  const providers = new Set(sso.providers.map(({ id }) => id));
  return async ({ userNid }) => {
    if (providers.size === 0) return [["m.login.password"]];
    const account = await accounts.findByNid(userNid);
    const known = await externalIds.list(userNid);
    const bySso = known.some(({ providerId }) => providers.has(providerId));
    if (!bySso) return [["m.login.password"]];
    return account?.passwordHash === null ? [["m.login.sso"]] : [["m.login.password"], ["m.login.sso"]];
  };
}
