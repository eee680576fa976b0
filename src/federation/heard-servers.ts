import type { ServerName } from "../protocol/identifiers.ts";

/** Where it is told that another server has sent something: whatever waits for it to come back goes on at once. */
export class HeardServers {
  readonly #followers: ((server: ServerName) => void)[] = [];

  /** @param heard is called with each server that has sent a request of its own, many times a second */
  follow(heard: (server: ServerName) => void): void {
    this.#followers.push(heard);
  }

  /** To be called when a server has sent a request of its own: it can be reached, then. */
  readonly tell = (server: ServerName): void => {
    for (const heard of this.#followers) heard(server);
  };
}
