import { equal } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { firstInLine, isInLine, meetingHeight, type Succession, successionAfter } from "./succession.ts";

/** Events of which each succeeds an earlier one, or none. */
class Lines {
  readonly #all: Succession[] = [];
  steps = 0;

  add(predecessor: number | undefined): void {
    this.#all.push(successionAfter(this, predecessor));
  }

  succession(nid: number): Succession {
    this.steps += 1;
    const succession = this.#all[nid];
    if (!succession) throw new Error(`there is no event ${nid}`);
    return succession;
  }

  /** By definition. */
  lineOf(nid: number): number[] {
    const line: number[] = [];
    for (let next: number | undefined = nid; next !== undefined; ) {
      line.push(next);
      next = this.succession(next).predecessor;
    }
    return line;
  }
}

/** How far before itself the event lies that each event succeeds: mostly the one before, 0 for none. */
const distances = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.nat(40)), {
  minLength: 2,
  maxLength: 200,
});

t.test("where events stand, and where their lines meet", async () => {
  fc.assert(
    fc.property(distances, fc.nat(), fc.nat(), (steps, left, right) => {
      const lines = new Lines();
      for (const [nid, step] of steps.entries()) lines.add(step === 0 || step > nid ? undefined : nid - step);
      const [one, other] = [left % steps.length, right % steps.length];
      const [ofOne, ofOther] = [lines.lineOf(one), lines.lineOf(other)];
      equal(lines.succession(one).height, ofOne.length - 1);
      equal(isInLine(lines, one, other), ofOther.includes(one));
      const meeting = ofOne.find((nid) => ofOther.includes(nid));
      const height = meeting === undefined ? undefined : lines.lineOf(meeting).length - 1;
      equal(meetingHeight(lines, one, other), height);
    }),
    { numRuns: 500 },
  );
});

t.test("lines of a hundred thousand are searched in some dozens of steps", async (t) => {
  const lines = new Lines();
  const length = 100_000;
  for (let nid = 0; nid < length; nid++) lines.add(nid === 0 ? undefined : nid - 1);
  // A line beside it from the first quarter on.
  for (let nid = length; nid < length + 50_000; nid++) lines.add(nid === length ? length / 4 : nid - 1);
  const stepsOf = (work: () => void) => {
    lines.steps = 0;
    work();
    return lines.steps;
  };
  const newest = length + 49_999;
  t.ok(stepsOf(() => t.equal(isInLine(lines, 4_711, newest), true)) < 100);
  t.ok(stepsOf(() => t.equal(isInLine(lines, 47_110, newest), false)) < 100);
  t.ok(stepsOf(() => t.equal(meetingHeight(lines, length - 1, newest), length / 4)) < 200);
});

t.test(
  "an event whose own line has become known late is found, or is not, and nothing runs in circles",
  async (t) => {
    const lines = new Map<number, Succession>([
      [1, firstInLine],
      [2, { predecessor: 1, height: 7, jump: 1 }],
      [3, { predecessor: 2, height: 1, jump: 2 }],
    ]);
    const graph = { succession: (nid: number) => lines.get(nid) ?? firstInLine };
    t.equal(isInLine(graph, 1, 3), true);
    t.equal(isInLine(graph, 3, 2), false);
    t.equal(isInLine(graph, 9, 3), false);
  },
);

t.test("events that succeed each other in a circle come to an end", async (t) => {
  const circle = new Map<number, Succession>([
    [1, { predecessor: 2, height: 4, jump: 2 }],
    [2, { predecessor: 1, height: 5, jump: 1 }],
    [3, { predecessor: 2, height: 6, jump: 2 }],
    [4, { predecessor: 1, height: 6, jump: 1 }],
  ]);
  const graph = { succession: (nid: number) => circle.get(nid) ?? firstInLine };
  t.equal(isInLine(graph, 2, 3), true);
  t.equal(isInLine(graph, 9, 3), false);
  t.equal(meetingHeight(graph, 3, 9), undefined);
  t.equal(meetingHeight(graph, 3, 4), undefined);
});
