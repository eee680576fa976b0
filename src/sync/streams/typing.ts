import type { Typing } from "../../services/typing.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { EphemeralQuery, EphemeralStream } from "./ephemeral.ts";

/** `m.typing` of /sync (client-server API, "Typing Notifications"). */
export class TypingStream implements EphemeralStream {
  readonly stream = "typing";
  readonly eventType = "m.typing";
  readonly #typing: Typing;
  readonly #names: NameCache;

  constructor(typing: Typing, names: NameCache) {
    this.#typing = typing;
    this.#names = names;
  }

  async events({ roomNids, since }: EphemeralQuery): Promise<ReadonlyMap<number, string>> {
    const events = new Map<number, string>();
    for (const roomNid of roomNids) {
      const typers = this.#typing.in(roomNid);
      // In a first sync also that somebody has just stopped: clients are told so, not left to conclude it.
      if (!typers || (since !== undefined && typers.position <= since)) continue;
      const userIds = await Promise.all(typers.userNids.map((nid) => this.#names.userId(nid)));
      events.set(roomNid, `{"type":"m.typing","content":${JSON.stringify({ user_ids: userIds })}}`);
    }
    return events;
  }
}
