import t from "tap";
import { systemRandomBytes } from "../telemetry/random.ts";
import { GatheredWrites } from "./gathered-writes.ts";

async function written(pieces: readonly Uint8Array[], blockBytes: number): Promise<Buffer[]> {
  const found: Buffer[] = [];
  using writes = new GatheredWrites(async (bytes) => {
    found.push(Buffer.from(bytes));
  }, blockBytes);
  for (const piece of pieces) {
    await writes.add(piece);
    // Whoever gave it may use its memory again.
    piece.fill(0);
  }
  await writes.flush();
  return found;
}

t.test("small pieces are written together, in their order, and never more than a block", async (t) => {
  const pieces = Array.from({ length: 1_000 }, () => systemRandomBytes(700));
  const whole = Buffer.concat(pieces);
  const found = await written(pieces, 256 * 1024);
  t.ok(Buffer.concat(found).equals(whole));
  t.equal(found.length, 3);
  t.ok(found.every((block) => block.length <= 256 * 1024));
});

t.test("a large piece is written as it is, after the small ones before it", async (t) => {
  const pieces = [systemRandomBytes(10), systemRandomBytes(300_000), systemRandomBytes(20)];
  const whole = Buffer.concat(pieces);
  const found = await written(pieces, 256 * 1024);
  t.ok(Buffer.concat(found).equals(whole));
  t.strictSame(
    found.map(({ length }) => length),
    [10, 300_000, 20],
  );
});

t.test("nothing is written of nothing", async (t) => {
  t.strictSame(await written([], 1024), []);
  t.strictSame(await written([Buffer.alloc(0)], 0), [], "not even where there is room for nothing");
});
