import t from "tap";
import { systemClock } from "../telemetry/clock.ts";
import { systemRandomBytes } from "../telemetry/random.ts";
import { Sealer } from "./sealer.ts";

let nowMs = 1_000;
const clock = { ...systemClock, nowMs: () => nowMs };
const sealer = new Sealer(Buffer.alloc(32, 1), clock, systemRandomBytes);

t.test("what was sealed is opened, for its purpose and in its time only", async (t) => {
  const sealed = sealer.seal("a", { deep: ["text", 1, null] }, 500);
  t.match(sealed, /^[A-Za-z0-9_-]+$/);
  t.notMatch(sealed, /deep|text/);
  t.strictSame(sealer.open("a", sealed), { deep: ["text", 1, null] });
  t.equal(sealer.open("b", sealed), undefined);
  nowMs = 1_499;
  t.ok(sealer.open("a", sealed));
  nowMs = 1_500;
  t.equal(sealer.open("a", sealed), undefined);
});

t.test("nothing that was changed or made by others is opened", async (t) => {
  const sealed = sealer.seal("a", { a: 1 }, 60_000);
  const bytes = Buffer.from(sealed, "base64url");
  for (const at of [0, 11, 12, 20, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.equal(sealer.open("a", changed.toString("base64url")), undefined, `byte ${at}`);
  }
  const stranger = new Sealer(Buffer.alloc(32, 2), clock, systemRandomBytes);
  t.equal(stranger.open("a", sealed), undefined);
  for (const text of ["", "a", "a.b", "é", sealed.slice(0, 20), `${sealed}AAAA`]) {
    t.equal(sealer.open("a", text), undefined, text);
  }
  t.not(sealer.seal("a", { a: 1 }, 1_000), sealer.seal("a", { a: 1 }, 1_000));
});
