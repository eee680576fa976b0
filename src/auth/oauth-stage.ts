import type { Stage } from "./interactive.ts";

/**
 * Client-server API, "OAuth authentication": the user agrees on an account page. The second name is that of MSC4312 before
 * it was accepted, which clients of that time look for.
 */
export const oauthStageTypes: readonly string[] = ["m.oauth", "org.matrix.cross_signing_reset"];

/** @param url the account page on which the user agrees */
export function oauthStages(url: string): Stage[] {
  return oauthStageTypes.map((type) => ({
    type,
    params: { url },
    attempt: () =>
      Promise.resolve({
        errcode: "M_FORBIDDEN",
        error: "Open the page that the parameters of this stage name, then send the request again",
      }),
  }));
}
