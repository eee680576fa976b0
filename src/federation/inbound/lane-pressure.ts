import type { Clock } from "../../telemetry/clock.ts";

/** With more than this waiting, whoever adds to it waits until it is less. */
const comfortable = 200;
/** What the server sends of other rooms waits as long. */
const maxHoldMs = 5_000;

interface Lane {
  waiting: number;
  relieved: (() => void)[];
}

/** Has servers that send faster than their events can be judged wait for the answer, so that nothing has to be left out. */
export class LanePressure {
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  added(key: string): void {
    const lane = this.#lanes.get(key) ?? { waiting: 0, relieved: [] };
    lane.waiting += 1;
    this.#lanes.set(key, lane);
  }

  taken(key: string, events: number): void {
    const lane = this.#lanes.get(key);
    if (!lane) return;
    lane.waiting -= events;
    if (lane.waiting > comfortable) return;
    for (const resume of lane.relieved.splice(0)) resume();
  }

  /** Nothing is left of it. */
  emptied(key: string): void {
    for (const resume of this.#lanes.get(key)?.relieved ?? []) resume();
    this.#lanes.delete(key);
  }

  /** Resolves once few events wait, or after a while. */
  async relieved(key: string): Promise<void> {
    const lane = this.#lanes.get(key);
    if (!lane || lane.waiting <= comfortable) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    lane.relieved.push(resolve);
    using _timer = this.#clock.setTimer(maxHoldMs, resolve);
    await promise;
  }
}
