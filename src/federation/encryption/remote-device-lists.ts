import { type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { RemoteDeviceListStore, ToldOutcome } from "../../storage/remote-device-lists.ts";
import { FederationError } from "../federation-client.ts";
import type { KeyRequests, Patience } from "../requests/key-requests.ts";
import { toldDeviceList } from "./told-keys.ts";

/** Asks servers for device lists of their users, and keeps them. */
export class RemoteDeviceLists {
  readonly #requests: KeyRequests;
  readonly #store: RemoteDeviceListStore;
  /** By user: two answers to one question would only be in each other's way. */
  readonly #fetching = new Map<number, Promise<ToldOutcome>>();

  constructor(requests: KeyRequests, store: RemoteDeviceListStore) {
    this.#requests = requests;
    this.#store = store;
  }

  /**
   * Gets a user's device list from their server and stores it.
   * @returns "stale" when updates have come meanwhile; "unshared" without asking when the list is not to be kept
   * @throws FederationError
   */
  fetch(userNid: number, userId: UserId, patience: Patience): Promise<ToldOutcome> {
    const known = this.#fetching.get(userNid);
    if (known) return within(patience, serverNameOf(userId), known);
    const fetching = this.#fetch(userNid, userId, patience).finally(() => this.#fetching.delete(userNid));
    this.#fetching.set(userNid, fetching);
    return fetching;
  }

  async #fetch(userNid: number, userId: UserId, patience: Patience): Promise<ToldOutcome> {
    const server: ServerName = serverNameOf(userId);
    const [state] = await this.#store.states([userNid]);
    if (!state?.sharesRoom) return "unshared";
    const list = toldDeviceList(userId, await this.#requests.devices(server, userId, patience));
    return this.#store.replace(userNid, server, state.generation, list);
  }
}

/** Waits for what somebody else has asked, who may be more patient. */
async function within<Result>(
  { signal }: Patience,
  server: ServerName,
  answer: Promise<Result>,
): Promise<Result> {
  if (!signal) return answer;
  const given = Promise.withResolvers<never>();
  const giveUp = () => given.reject(new FederationError("unreachable", `${server} has not answered in time`));
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([answer, given.promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
