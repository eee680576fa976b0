import type { ConfigValues } from "./schema.ts";
import type { Problem } from "./validate.ts";

/** What is wrong though each key for itself is right: keys that do not go together. */
export function contradictions(values: ConfigValues): Problem[] {
  const { registration, email, sms, third_party_invites } = values;
  const problems: Problem[] = [];
  const needs = (path: Problem["path"], key: string) =>
    problems.push({ path, text: `needs ${key} to be set` });
  if (email.from === null) {
    if (registration.email !== "off") needs(["registration", "email"], "email.from");
    if (third_party_invites.by_email) needs(["third_party_invites", "by_email"], "email.from");
  }
  if (sms.gateway_url === null && registration.phone !== "off") {
    needs(["registration", "phone"], "sms.gateway_url");
  }
  return [...problems, ...providerContradictions(values)];
}

function providerContradictions({ sso, oauth }: ConfigValues): Problem[] {
  const problems: Problem[] = [];
  const ids = sso.providers.map(({ id }) => id);
  for (const [index, provider] of sso.providers.entries()) {
    const wrong = (key: string, text: string) =>
      problems.push({ path: ["sso", "providers", index, key], text });
    if (ids.indexOf(provider.id) < index) wrong("id", "is another provider's as well");
    if (provider.client_secret !== null && provider.client_secret_file !== null) {
      wrong("client_secret_file", "stands beside client_secret: leave one of them out");
    }
    if ((provider.authorization_endpoint === null) !== (provider.token_endpoint === null)) {
      wrong("token_endpoint", "goes with authorization_endpoint: set both or none");
    }
  }
  if (oauth.legacy_password_login === "off" && !oauth.enabled && sso.providers.length === 0) {
    problems.push({ path: ["oauth", "legacy_password_login"], text: "leaves nobody a way to log in" });
  }
  return problems;
}
