import { everyStream, type Stream, type StreamChange } from "../storage/streams.ts";

const bits = new Map<Stream, number>(everyStream.map((stream, index) => [stream, 1 << index]));

const none: readonly StreamChange[] = [];

/** Some streams as the bits of a number. */
export function streamSet(members: readonly Stream[]): number {
  return members.reduce((set, stream) => set | bitOf(stream), 0);
}

/**
 * Sorts the changes of a commit for those who follow it. A large join has tens of thousands of changes in one stream, of
 * which most have nothing to learn: they are not made to look at each.
 * @returns the changes in a set of streams, in order
 */
export function changesByStreams(
  changes: readonly StreamChange[],
): (streams: number) => readonly StreamChange[] {
  const there = changes.reduce((set, { stream }) => set | bitOf(stream), 0);
  const sorted = new Map<number, readonly StreamChange[]>([
    [0, none],
    [there, changes],
  ]);
  return (wanted) => {
    const set = wanted & there;
    const known = sorted.get(set);
    if (known) return known;
    const some = changes.filter(({ stream }) => (bitOf(stream) & set) !== 0);
    sorted.set(set, some);
    return some;
  };
}

function bitOf(stream: Stream): number {
  return bits.get(stream) ?? 0;
}
