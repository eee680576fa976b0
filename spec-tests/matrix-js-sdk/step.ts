import t, { type Test } from "tap";

/**
 * One step of the story that a test file tells. After one that has failed the others fail as well: what it did not do is
 * missing in them.
 */
export async function step(name: string, run: (t: Test) => Promise<void>): Promise<void> {
  const isWhole = t.passing();
  await t.test(name, async (t) => {
    if (isWhole) await run(t);
    else t.fail("a step before this one has failed");
  });
}
