import { ok } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { anyEvents } from "../auth/testing/random-event.ts";
import { versionNamed } from "../auth/testing/test-event.ts";
import { ProtocolError } from "../errors.ts";
import { separateState } from "./separate.ts";
import { baseRoom } from "./testing/base-room.ts";

t.test("no content makes resolution throw", async (t) => {
  const branch = fc.array(anyEvents, { maxLength: 5 });
  let [resolved, refused] = [0, 0];
  for (const version of ["1", "2", "10", "12"].map(versionNamed)) {
    fc.assert(
      fc.property(fc.array(branch, { minLength: 2, maxLength: 3 }), (drafts) => {
        const room = baseRoom(version);
        const forks = drafts.map((line) => {
          const fork = room.fork();
          for (const { prev: _, ...draft } of line) fork.send(draft);
          return fork;
        });
        try {
          const { state } = room.dag.merge(...forks);
          const { common } = separateState(forks.map((fork) => fork.state));
          ok([...common].every(([pair, nid]) => state.get(pair) === nid));
          resolved += 1;
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          refused += 1;
        }
      }),
      { numRuns: 60 },
    );
  }
  t.ok(resolved > 200, `${resolved} resolved, ${refused} refused`);
});
