import type { BrowserSessions } from "../../auth/browser-sessions.ts";
import type { Account, AccountStore } from "../../storage/accounts.ts";
import type { BrowserSession } from "../../storage/browser-sessions.ts";
import { browserSessionSecret } from "../browser-session-cookie.ts";
import type { RequestContext } from "../request.ts";

/** Somebody who is signed in to the pages of this server. */
export interface BrowserUser {
  readonly account: Account;
  readonly session: BrowserSession;
  /** Whether they have proved a moment ago who they are. */
  readonly isFresh: boolean;
}

/** Knows who is signed in to the pages of this server. */
export class BrowserIdentity {
  readonly #sessions: BrowserSessions;
  readonly #accounts: AccountStore;
  readonly #ownOrigin: string;

  constructor(sessions: BrowserSessions, accounts: AccountStore, ownOrigin: string) {
    this.#sessions = sessions;
    this.#accounts = accounts;
    this.#ownOrigin = ownOrigin;
  }

  /** `undefined` when nobody is signed in, or their account cannot be used any more. */
  async of({ incoming }: RequestContext): Promise<BrowserUser | undefined> {
    const session = await this.#sessions.find(browserSessionSecret(incoming, this.#ownOrigin));
    const account = session && (await this.#accounts.findByNid(session.userNid));
    if (!account || account.isDeactivated || account.isLocked) return undefined;
    return { account, session, isFresh: this.#sessions.isFresh(session) };
  }

  /** Ends the session of a browser. */
  async end({ incoming }: RequestContext): Promise<void> {
    await this.#sessions.end(browserSessionSecret(incoming, this.#ownOrigin));
  }
}
