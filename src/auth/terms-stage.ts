import type { Config } from "../config/schema.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Stage } from "./interactive.ts";

export type Policies = Config["registration"]["terms"];

/** Client-server API, "Terms of service at registration": the person agrees to policies that the client has shown. */
export class TermsStage implements Stage {
  readonly type = "m.login.terms";
  readonly params: JsonObject;

  constructor(policies: Policies) {
    this.params = {
      policies: Object.fromEntries(policies.map(({ id, ...policy }) => [id, policyJson(policy)])),
    };
  }

  attempt(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

function policyJson({ version, translations }: Omit<Policies[number], "id">): JsonObject {
  const byLanguage = translations.map(({ language, name, url }): [string, JsonObject] => [
    language,
    { name, url },
  ]);
  return { ...Object.fromEntries(byLanguage), version };
}
