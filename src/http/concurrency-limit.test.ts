import t from "tap";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

t.test("each key has so many at once, and leaving twice counts once", (t) => {
  const limit = new ConcurrencyLimit(2);
  const leave = limit.enter("alice");
  limit.enter("alice");
  t.throws(() => limit.enter("alice"), /Too many files at once/);
  limit.enter("bob");
  leave();
  leave();
  limit.enter("alice");
  t.throws(() => limit.enter("alice"), /Too many files at once/);
  t.end();
});
