/**
 * Where an event stands in the line of those that have succeeded each other in one place of the state: its predecessor is
 * the first of its auth events with its own type and state key. Power levels and member events make long lines; with a
 * jump beside each predecessor any of them is found in a number of steps that grows with the logarithm of their length.
 */
export interface Succession {
  readonly predecessor: number | undefined;
  /** How many come before the event. */
  readonly height: number;
  /** One of those that come before the event, the distance to which depends on the height alone. */
  readonly jump: number | undefined;
}

export interface Successions {
  /** Where the event with this integer stands. */
  succession(nid: number): Succession;
}

/** The first of a line. */
export const firstInLine: Succession = { predecessor: undefined, height: 0, jump: undefined };

/**
 * Where the event stands that comes after another one, or after none: it jumps over the jumps of that one if two of them
 * are equally long.
 */
export function successionAfter(successions: Successions, predecessor: number | undefined): Succession {
  if (predecessor === undefined) return firstInLine;
  const { height, jump } = successions.succession(predecessor);
  const after = { predecessor, height: height + 1, jump: predecessor };
  if (jump === undefined) return after;
  const middle = successions.succession(jump);
  if (middle.jump === undefined) return after;
  const lower = successions.succession(middle.jump);
  return height - middle.height === middle.height - lower.height ? { ...after, jump: middle.jump } : after;
}

/** Whether an event is another one, or comes before it in its line. */
export function isInLine(successions: Successions, event: number, newest: number): boolean {
  return event === newest || descend(successions, newest, successions.succession(event).height) === event;
}

/** The height of the newest event that is in the lines of both; `undefined` for different lines. */
export function meetingHeight(successions: Successions, left: number, right: number): number | undefined {
  const lower = Math.min(successions.succession(left).height, successions.succession(right).height);
  let one: number | undefined = descend(successions, left, lower);
  let other: number | undefined = descend(successions, right, lower);
  const seen = new Set<number>();
  while (one !== undefined && other !== undefined && !seen.has(one)) {
    seen.add(one);
    const [ofOne, ofOther]: Succession[] = [successions.succession(one), successions.succession(other)];
    if (!ofOne || !ofOther) break;
    if (one === other) return ofOne.height;
    // Where the jumps meet, the lines may have met before.
    const isFarBelow: boolean = ofOne.jump !== ofOther.jump;
    one = isFarBelow ? ofOne.jump : ofOne.predecessor;
    other = isFarBelow ? ofOther.jump : ofOther.predecessor;
  }
  return undefined;
}

/**
 * The event of a line at some height; `undefined` also in a circle: a server may name events so that they succeed each
 * other.
 */
function descend(successions: Successions, newest: number, height: number): number | undefined {
  let nid: number | undefined = newest;
  const seen = new Set<number>();
  while (nid !== undefined && !seen.has(nid)) {
    seen.add(nid);
    const { height: reached, jump, predecessor }: Succession = successions.succession(nid);
    if (reached <= height) return nid;
    const canJump: boolean = jump !== undefined && successions.succession(jump).height >= height;
    nid = canJump ? jump : predecessor;
  }
  return undefined;
}
