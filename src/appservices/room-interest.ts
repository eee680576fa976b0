import type { RoomMembershipChange } from "../storage/appservices.ts";

/**
 * Which part of a room's timeline an application service hears of: "Events will be sent to the AS if a local user matching one
 * of the namespaces is the target of the event, or is a joined member of the room where the event occurred."
 */
export class RoomInterest {
  readonly #isWhole: boolean;
  /** The users of the application service who are joined. */
  readonly #members = new Set<number>();
  /** Positions from which on such a user was joined, and at which the last of them left, in turn. */
  readonly #bounds: number[] = [];
  /** Positions of events that concern such a user while none was joined: invites, for one. */
  readonly #targets = new Set<number>();

  private constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  /** Of a room that is in a namespace itself, or has an alias that is. */
  static whole(): RoomInterest {
    return new RoomInterest(true);
  }

  /**
   * @param changes of all local users' memberships, oldest first
   * @param isCovered whether a user is of the application service
   */
  static of(
    changes: readonly RoomMembershipChange[],
    isCovered: (change: RoomMembershipChange) => boolean,
  ): RoomInterest {
    const interest = new RoomInterest(false);
    for (const [index, change] of changes.entries()) {
      // Before the first of all members there is nothing but the event that they have created the room with.
      if (isCovered(change)) interest.#add(change, index === 0);
    }
    return interest;
  }

  /** Whether the event at a position is to be told. */
  coversAt(position: number): boolean {
    if (this.#isWhole || this.#targets.has(position)) return true;
    // Rooms seldom have more than one stretch, and the last one is asked for most.
    for (let index = this.#bounds.length - 1; index >= 0; index -= 1) {
      const bound = this.#bounds[index] ?? 0;
      const isStart = index % 2 === 0;
      if (isStart && position >= bound) return true;
      if (!isStart && position > bound) return false;
    }
    return false;
  }

  /** Whether what happens in the room now is to be told. */
  get isNow(): boolean {
    return this.#isWhole || this.#members.size > 0;
  }

  /**
   * Takes in a change of the membership of one of the application service's users. False when that takes knowing the
   * position of its event: the room has to be looked at anew then.
   */
  absorb(userNid: number, isJoined: boolean): boolean {
    if (this.#isWhole) return true;
    if (this.#members.size === 0) return false;
    if (isJoined) {
      this.#members.add(userNid);
      return true;
    }
    if (this.#members.size === 1 && this.#members.has(userNid)) return false;
    this.#members.delete(userNid);
    return true;
  }

  #add({ userNid, position, isJoined }: RoomMembershipChange, isFirst: boolean): void {
    const wasNow = this.#members.size > 0;
    if (isJoined) this.#members.add(userNid);
    else this.#members.delete(userNid);
    const isNow = this.#members.size > 0;
    if (wasNow !== isNow) this.#bounds.push(isFirst ? 0 : position);
    else if (!isNow) this.#targets.add(position);
  }
}
