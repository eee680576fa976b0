import { searchWords } from "../../storage/search-text.ts";
import type { FoundUser, UserDirectoryStore } from "../../storage/user-directory.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

const defaultLimit = 10;
const maxLimit = 50;
/** Further words are not looked at. */
const maxPhrases = 10;

export interface UserResults {
  readonly users: readonly FoundUser[];
  /** Whether there are more. */
  readonly isLimited: boolean;
}

/** Finds users by what their names or user IDs begin with (client-server API, "User directory"). */
export class UserDirectory {
  readonly #store: UserDirectoryStore;
  readonly #searchAll: boolean;

  /** @param searchAll whether users are found who share no room with the searcher and are in no public room */
  constructor(store: UserDirectoryStore, searchAll: boolean) {
    this.#store = store;
    this.#searchAll = searchAll;
  }

  /** @throws MatrixError M_INVALID_PARAM */
  async search(userNid: number, term: string, limit = defaultLimit): Promise<UserResults> {
    if (limit < 1) throw new MatrixError("M_INVALID_PARAM", "limit has to be at least 1");
    const bound = Math.min(limit, maxLimit);
    const { name, serverPrefix } = partsOf(term.trim());
    const phrases = name
      .split(/\s+/)
      .map((chunk) => searchWords(chunk).join(" "))
      .filter((phrase) => phrase !== "")
      .slice(0, maxPhrases);
    if (phrases.length === 0) return { users: [], isLimited: false };
    const users = await this.#store.search({
      userNid,
      phrases,
      serverPrefix,
      searchAll: this.#searchAll,
      limit: bound + 1,
    });
    return { users: users.slice(0, bound), isLimited: users.length > bound };
  }
}

/** A user ID that is being typed has two parts: `@localpart:server`. */
function partsOf(term: string): { name: string; serverPrefix: string } {
  const colon = term.startsWith("@") ? term.indexOf(":") : -1;
  if (colon === -1) return { name: term, serverPrefix: "" };
  return { name: term.slice(1, colon), serverPrefix: term.slice(colon + 1) };
}
