import { foldCase, Glob } from "./glob.ts";
import type { JsonObject } from "./json.ts";
import { parseServerName } from "./server-name.ts";

/** What becomes of an invite: one that is ignored is taken, and not shown to whom it invites. */
export type InviteVerdict = "allow" | "ignore" | "block";

interface InviteRule {
  readonly by: "user" | "server";
  readonly verdict: InviteVerdict;
  readonly patterns: PatternSet;
}

/** In the order in which they are applied (MSC4155, "Proposal", step 2). */
const lists = [
  ["allowed_users", "user", "allow"],
  ["ignored_users", "user", "ignore"],
  ["blocked_users", "user", "block"],
  ["allowed_servers", "server", "allow"],
  ["ignored_servers", "server", "ignore"],
  ["blocked_servers", "server", "block"],
] as const;
/** More patterns with wildcards than this, in one list, are not looked at: an invite must not cost more than a message. */
const maxWildcards = 500;

/** Whose invites a user takes, by the IDs of users and the names of servers (MSC4155). */
export class InviteFilter {
  readonly #rules: readonly InviteRule[];

  /** @param content of the user's account data, unchecked: what is no valid configuration allows every invite */
  constructor(content: JsonObject) {
    this.#rules = content["enabled"] === false ? [] : rulesOf(content);
  }

  /** @param userId who invites */
  verdict(userId: string): InviteVerdict {
    if (this.#rules.length === 0) return "allow";
    const domain = userId.slice(userId.indexOf(":") + 1);
    // "Server names / domain parts of user IDs after stripping any port suffix."
    const subjects = { user: foldCase(userId), server: foldCase(parseServerName(domain)?.host ?? domain) };
    return this.#rules.find(({ by, patterns }) => patterns.has(subjects[by]))?.verdict ?? "allow";
  }
}

/** "Any value that is not an array of strings MUST lead to the entire event being considered invalid." */
function rulesOf(content: JsonObject): InviteRule[] {
  const rules: InviteRule[] = [];
  for (const [key, by, verdict] of lists) {
    const patterns = content[key] === undefined ? [] : content[key];
    if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern === "string")) return [];
    if (patterns.length > 0) rules.push({ by, verdict, patterns: new PatternSet(patterns) });
  }
  return rules;
}

/** Globs, of which those without wildcards, usually most, are looked up rather than tried one by one. */
class PatternSet {
  readonly #literals = new Set<string>();
  readonly #wildcards: Glob[] = [];

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const glob = new Glob(pattern);
      if (glob.literal !== undefined) this.#literals.add(glob.literal);
      else if (this.#wildcards.length < maxWildcards) this.#wildcards.push(glob);
    }
  }

  /** Whether a case-folded text matches one of the patterns. */
  has(folded: string): boolean {
    return this.#literals.has(folded) || this.#wildcards.some((glob) => glob.matchesWhole(folded));
  }
}
