import type { Clock } from "./clock.ts";

/** Something that happens again and again, for those who count it. While there are none it costs nothing. */
export class Observed<Details> {
  #followers: readonly ((details: Details) => void)[] = [];

  get isFollowed(): boolean {
    return this.#followers.length > 0;
  }

  /**
   * @param follower must not throw, and be done at once: whoever is observed waits for it
   * @returns what ends it
   */
  follow(follower: (details: Details) => void): Disposable {
    this.#followers = [...this.#followers, follower];
    return {
      // Another list: it may be while they are told.
      [Symbol.dispose]: () => {
        this.#followers = this.#followers.filter((other) => other !== follower);
      },
    };
  }

  tell(details: Details): void {
    for (const follower of this.#followers) follower(details);
  }
}

/** A request that has been answered, or given up by its client. */
export interface EndedRequest {
  readonly requestId: string;
  /** `unknown` where nothing is served. */
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  /** With its question mark; it may hold secrets. */
  readonly search: string;
  readonly status: number;
  readonly durationMs: number;
}

/** A group of writes that has been committed. */
export interface CommittedGroup {
  readonly writes: number;
  /** From when the writer took it until it was on disk. */
  readonly durationMs: number;
}

/** A request to another server that has ended. */
export interface EndedFederationRequest {
  /** `refused`: the server answered with an error; `unreachable`: it gave no answer that looks like one. */
  readonly outcome: "answered" | "refused" | "unreachable";
  readonly durationMs: number;
}

/** For whoever tells of groups: how long they take is measured by the clock. */
export interface CommitObservation {
  readonly commits: Observed<CommittedGroup>;
  readonly clock: Clock;
}

/** What is observed in a running server. */
export class Observations {
  readonly requests = new Observed<EndedRequest>();
  readonly commits = new Observed<CommittedGroup>();
  /** States of forks that have been resolved: how long it took, in milliseconds. */
  readonly resolutions = new Observed<number>();
  readonly federationRequests = new Observed<EndedFederationRequest>();
}
