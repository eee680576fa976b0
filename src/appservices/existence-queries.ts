import type { AccountStore } from "../storage/accounts.ts";
import { OutboundError } from "../outbound/errors.ts";
import type { RoomAlias, UserId } from "../protocol/identifiers.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { type AppserviceClient, isSuccess } from "./appservice-client.ts";

/** An application service could not be asked: there may be what was looked for, or not. */
export class UnansweredQueryError extends Error {
  override readonly name = "UnansweredQueryError";
}

/** Makes users and rooms come to be that application services keep for when somebody asks for them. */
export interface ExistenceQuery<Name extends string> {
  /**
   * Asks the application services that a name belongs to, if there are any.
   * @returns whether one of them says that it is there now
   * @throws UnansweredQueryError
   */
  ask(name: Name): Promise<boolean>;
}

const timeoutMs = 10_000;
/** "The homeserver should retry several times before timing out." */
const attempts = 3;
/** Strangers may ask for names that are not there as often as they like: so long the answer stays the same. */
const absentForMs = 10_000;
const maxAbsent = 10_000;
/**
 * Names that are being asked for at once; who comes with yet another is told that there was no answer. Few enough for
 * transactions to find a connection beside them.
 */
const maxAsking = 32;

export interface ExistenceQueriesParts {
  readonly clients: readonly AppserviceClient[];
  readonly accounts: Pick<AccountStore, "find">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Application service API, "Querying". */
export class ExistenceQueries {
  readonly #parts: ExistenceQueriesParts;
  /** By path; what is asked for by several is asked for once. */
  readonly #asking = new Map<string, Promise<boolean>>();
  /** When it was said of a path that there is nothing, by the monotonic clock; the latest come last. */
  readonly #absent = new Map<string, number>();

  constructor(parts: ExistenceQueriesParts) {
    this.#parts = parts;
  }

  readonly users: ExistenceQuery<UserId> = {
    ask: async (userId) => {
      const concerned = this.#parts.clients.filter(({ appservice }) => appservice.coversUser(userId));
      if (concerned.length === 0 || (await this.#parts.accounts.find(userId))) return false;
      return this.#ask(concerned, `/users/${encodeURIComponent(userId)}`);
    },
  };

  readonly aliases: ExistenceQuery<RoomAlias> = {
    ask: async (alias) => {
      const concerned = this.#parts.clients.filter(({ appservice }) => appservice.coversAlias(alias));
      return concerned.length > 0 && this.#ask(concerned, `/rooms/${encodeURIComponent(alias)}`);
    },
  };

  #ask(clients: readonly AppserviceClient[], path: string): Promise<boolean> {
    const asking = this.#asking.get(path);
    if (asking) return asking;
    if (this.#isKnownAbsent(path)) return Promise.resolve(false);
    if (this.#asking.size >= maxAsking) return Promise.reject(unanswered());
    const answer = this.#askEach(clients, path).finally(() => this.#asking.delete(path));
    this.#asking.set(path, answer);
    return answer;
  }

  async #askEach(clients: readonly AppserviceClient[], path: string): Promise<boolean> {
    let isAnswered = true;
    for (const client of clients) {
      const exists = await this.#askOne(client, path);
      if (exists) return true;
      if (exists === undefined) isAnswered = false;
    }
    if (!isAnswered) throw unanswered();
    this.#rememberAbsent(path);
    return false;
  }

  /** `undefined` when there is no answer. */
  async #askOne(client: AppserviceClient, path: string): Promise<boolean | undefined> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        const legacyPath = path;
        const request = { method: "GET", path: `/_matrix/app/v1${path}`, legacyPath, timeoutMs } as const;
        const answer = await client.request(request);
        if (answer.status < 500) return isSuccess(answer);
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        const appservice = client.appservice.id;
        this.#parts.log.info({ appservice, attempt, reason: error.message }, "a query was not answered");
        // A further attempt would take as long again.
        if (error.failure === "timeout") return undefined;
      }
    }
    return undefined;
  }

  #isKnownAbsent(path: string): boolean {
    const sinceMs = this.#absent.get(path);
    return sinceMs !== undefined && this.#parts.clock.monotonicMs() - sinceMs < absentForMs;
  }

  #rememberAbsent(path: string): void {
    this.#absent.delete(path);
    this.#absent.set(path, this.#parts.clock.monotonicMs());
    if (this.#absent.size <= maxAbsent) return;
    const [oldest] = this.#absent.keys();
    if (oldest !== undefined) this.#absent.delete(oldest);
  }
}

function unanswered(): UnansweredQueryError {
  return new UnansweredQueryError("The application service that this name belongs to did not answer in time");
}
