import { type ExpectedAnswer, faultsOf } from "./answer-faults.ts";
import { type RawRequest, rawRequest } from "./raw-request.ts";

/** A request, and what its answer must be. */
export interface Probe {
  readonly request: RawRequest;
  readonly expected?: ExpectedAnswer;
  /** What the request tries out, for the message of a failure. */
  readonly about?: string;
}

const concurrency = 8;
const maxShown = 160;

/** Sends all probes, some at a time. @returns a line for each answer that is not as it has to be */
export async function faultsOfProbes(url: string, probes: Iterable<Probe>): Promise<string[]> {
  const waiting = probes[Symbol.iterator]();
  const lines: string[] = [];
  const work = Array.from({ length: concurrency }, async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const line = await faultOfProbe(url, next.value);
      if (line !== undefined) lines.push(line);
    }
  });
  await Promise.all(work);
  return lines;
}

async function faultOfProbe(url: string, { request, expected, about }: Probe): Promise<string | undefined> {
  const { method, path } = request;
  const asked = [`${method} ${shortened(path)}`, ...(about === undefined ? [] : [about])].join(", ");
  const answer = await rawRequest(url, request);
  const faults = faultsOf(answer, expected);
  if (faults.length === 0) return undefined;
  return `${asked}: ${answer.status} ${shortened(answer.text)} ${faults.join(", ")}`;
}

function shortened(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}… (${text.length})` : text;
}
