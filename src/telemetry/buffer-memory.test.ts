import t from "tap";
import { freeBuffer } from "./buffer-memory.ts";

t.test("a buffer that is given back is empty", async (t) => {
  const buffer = Buffer.allocUnsafeSlow(1_000);
  freeBuffer(buffer);
  t.equal(buffer.length, 0);
});

t.test("a part of a buffer that others have, too, is left alone", async (t) => {
  const whole = Buffer.alloc(1_000, "a");
  freeBuffer(whole.subarray(0, 999));
  freeBuffer(whole.subarray(1));
  t.equal(whole.toString(), "a".repeat(1_000));
  const shared = Buffer.from(new SharedArrayBuffer(10));
  freeBuffer(shared);
  t.equal(shared.length, 10);
});
