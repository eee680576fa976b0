import { createHash } from "node:crypto";

/** Numbers that look random and depend on a seed only. */
export class Chance {
  readonly seed: string;
  #drawn = 0;

  constructor(seed: string) {
    this.seed = seed;
  }

  /** A source of its own, for something that happens at the same time as other things. */
  fork(purpose: string): Chance {
    return new Chance(`${this.seed} ${purpose}`);
  }

  /** A whole number from 0 up to, but without, a limit. */
  below(limit: number): number {
    const text = `${this.seed} ${this.#drawn++}`;
    return createHash("sha256").update(text).digest().readUInt32BE() % limit;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error("there is nothing to pick from");
    return value;
  }
}
