import t from "tap";
import { MatrixError } from "../protocol/matrix-error.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { systemRandomBytes } from "../telemetry/random.ts";
import { RendezvousSessions } from "./rendezvous.ts";

/** What somebody is told who asks for what they cannot have. */
function refusal(attempt: () => unknown): object | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return { errcode: error.errcode, ...error.details };
  }
}

t.test("a session is gone after five minutes, however often it is written", async (t) => {
  const clock = new ManualClock();
  const sessions = new RendezvousSessions(clock, systemRandomBytes);
  const session = sessions.create(Buffer.from("a"));
  t.equal(sessions.remainingMs(session), 300_000);
  clock.advance(299_999);
  const { session: written } = sessions.write(session.id, session.revision, Buffer.from("b"));
  t.equal(sessions.remainingMs(sessions.get(session.id)), 1);
  t.equal(written.modifiedTs - session.modifiedTs, 299_999);
  clock.advance(1);
  t.strictSame(
    refusal(() => sessions.get(session.id)),
    { errcode: "M_NOT_FOUND" },
  );
  t.strictSame(
    refusal(() => sessions.write(session.id, written.revision, Buffer.from("c"))),
    { errcode: "M_NOT_FOUND" },
  );
  t.strictSame(
    refusal(() => sessions.remove(session.id)),
    { errcode: "M_NOT_FOUND" },
  );
});

t.test("there are never more than memory is set aside for; those that are there go on", async (t) => {
  const clock = new ManualClock();
  const sessions = new RendezvousSessions(clock, systemRandomBytes);
  const first = sessions.create(Buffer.from("first"));
  clock.advance(1_000);
  for (let count = 1; count < 4_096; count += 1) sessions.create(Buffer.alloc(0));
  const one = () => sessions.create(Buffer.alloc(0));
  t.strictSame(refusal(one), { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 299_000 });
  t.equal(sessions.get(first.id).payload.toString(), "first");
  clock.advance(299_000);
  t.ok(one(), "the first has expired");
  t.strictSame(refusal(one), { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 1_000 });
  clock.advance(1_000);
  t.ok(one());
});

t.test("each write has another revision, the same words too", async (t) => {
  const sessions = new RendezvousSessions(new ManualClock(), systemRandomBytes);
  const { id, revision, payload } = sessions.create(Buffer.from("same"));
  const { session } = sessions.write(id, revision, payload);
  t.not(session.revision, revision);
  const late = sessions.write(id, revision, Buffer.from("late"));
  t.strictSame(late, { written: false, session });
});
