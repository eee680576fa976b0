/** Tells those who keep in memory which rooms have which aliases: aliases have no place in the one stream. */
export class AliasChanges {
  readonly #followers: ((roomNid: number) => void)[] = [];

  /** Calls back with each room that has got or lost an alias, after that has been stored. */
  follow(follower: (roomNid: number) => void): void {
    this.#followers.push(follower);
  }

  readonly changed = (roomNid: number): void => {
    for (const follower of this.#followers) follower(roomNid);
  };
}
