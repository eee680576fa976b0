import t from "tap";
import { foundWithin, until } from "./within.ts";

t.test("what does not happen in time is told by whoever waits", async (t) => {
  t.equal(await foundWithin(20, () => false, 1), undefined);
  await t.rejects(
    until(20, "the end", () => false, 1),
    { message: "waited 0.02 s in vain for the end" },
  );
});

t.test("what the probe throws ends the waiting at once, and is what is told", async (t) => {
  const fault = new TypeError("the probe is wrong");
  let probes = 0;
  const probe = () => {
    probes += 1;
    throw fault;
  };
  await t.rejects(foundWithin(60_000, probe, 1), fault);
  await t.rejects(until(60_000, "the end", probe), fault);
  t.equal(probes, 2);
});

t.test("what is found is handed back", async (t) => {
  let turns = 0;
  t.equal(await until(60_000, "the third turn", () => ++turns === 3 && "found"), "found");
  t.equal(turns, 3);
});
