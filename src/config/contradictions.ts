import type { ConfigValues } from "./schema.ts";
import type { Problem } from "./validate.ts";

/** What is wrong though each key for itself is right: keys that do not go together. */
export function contradictions({ registration, email, sms, third_party_invites }: ConfigValues): Problem[] {
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
  return problems;
}
