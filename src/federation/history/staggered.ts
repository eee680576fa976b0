import { withinTime } from "../../concurrency/within-time.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** A server that has not answered for so long does not keep the next one from being asked. */
const patienceMs = 1_500;

type Outcome<Answer> = { readonly answer: Answer } | { readonly error: unknown };

interface Asked<Answer> {
  readonly server: ServerName;
  readonly outcome: Promise<Outcome<Answer>>;
}

export interface Staggering {
  readonly clock: Clock;
  /** Told of servers that have not answered though others have that were asked after them. */
  readonly tooSlow: (server: ServerName) => void;
}

/**
 * Asks servers one after the other, as long as nobody is content: the next one when the last has answered, or is slow. Gives
 * what they say as it comes. Whoever stops reading breaks off what is still being asked.
 * @param ask is told when its answer is of no use any more; what it throws is thrown to the reader
 */
export async function* staggered<Answer>(
  servers: readonly ServerName[],
  { clock, tooSlow }: Staggering,
  ask: (server: ServerName, signal: AbortSignal) => Promise<Answer>,
): AsyncGenerator<Answer> {
  const content = new AbortController();
  const waiting = [...servers];
  /** Those that have not answered, in the order in which they were asked. */
  const asked = new Set<Asked<Answer>>();
  const overtaken = new Set<ServerName>();
  const askNext = () => {
    const server = waiting.shift();
    if (server === undefined) return;
    const outcome = ask(server, content.signal).then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    asked.add({ server, outcome });
  };
  try {
    askNext();
    while (asked.size > 0) {
      const first = await firstOf(asked, waiting.length > 0 ? clock : undefined);
      if (first) {
        overtaken.delete(first.from.server);
        for (const each of asked) {
          if (each === first.from) break;
          overtaken.add(each.server);
        }
        asked.delete(first.from);
        if ("error" in first.outcome) throw first.outcome.error;
        yield first.outcome.answer;
      }
      if (!first || asked.size === 0) askNext();
    }
  } finally {
    content.abort();
    for (const server of overtaken) tooSlow(server);
  }
}

/** @returns what comes first; `undefined` when nothing comes for a while, if there is a clock to tell */
async function firstOf<Answer>(asked: ReadonlySet<Asked<Answer>>, clock: Clock | undefined) {
  const first = Promise.race([...asked].map(async (from) => ({ from, outcome: await from.outcome })));
  return clock ? withinTime(clock, patienceMs, first, undefined) : first;
}
