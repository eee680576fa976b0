/** Lets only so much work be done at the same time; what is more waits for its turn, first come, first served. */
export class Turns {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #atWork = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws what the work throws */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#atWork < this.#max) this.#atWork += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the next in line: if it were free in between, somebody who has just come could take it too.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#atWork -= 1;
    }
  }
}
