import type { Requester } from "../../auth/requester.ts";
import { isCompliantUserId, parseUserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { UserDirectoryStore } from "../../storage/user-directory.ts";

export interface MutualRoomsPage {
  readonly roomIds: readonly string[];
  readonly total: number;
  readonly next: string | undefined;
}

const pageSize = 100;
const tokenGrammar = /^r\d{1,15}$/;

/** Tells which rooms a user shares with another (client-server API, "Mutual rooms"). */
export class MutualRooms {
  readonly #store: UserDirectoryStore;
  readonly #names: NameCache;

  constructor(store: UserDirectoryStore, names: NameCache) {
    this.#store = store;
    this.#names = names;
  }

  /**
   * @param from the token of an earlier page
   * @throws MatrixError M_INVALID_PARAM
   */
  async page(requester: Requester, text: string, from: string | undefined): Promise<MutualRoomsPage> {
    const userId = parseUserId(text);
    if (!userId || !isCompliantUserId(userId)) {
      throw new MatrixError("M_INVALID_PARAM", "user_id is not like @name:server");
    }
    if (userId === requester.userId) {
      throw new MatrixError("M_INVALID_PARAM", "user_id is your own: name somebody else");
    }
    if (from !== undefined && !tokenGrammar.test(from)) {
      throw new MatrixError("M_INVALID_PARAM", "from is no token that this server has given out");
    }
    const after = from === undefined ? 0 : Number(from.slice(1));
    const otherNid = await this.#names.findUser(userId);
    if (otherNid === undefined) return { roomIds: [], total: 0, next: undefined };
    const { rooms, total } = await this.#store.mutualRooms(requester.userNid, otherNid, after, pageSize + 1);
    const page = rooms.slice(0, pageSize);
    const last = rooms.length > pageSize ? page.at(-1) : undefined;
    return { roomIds: page.map(({ roomId }) => roomId), total, next: last && `r${last.roomNid}` };
  }
}
