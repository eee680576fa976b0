import type { Progress } from "../backup/progress.ts";
import type { Clock } from "../telemetry/clock.ts";
import { sizeText } from "./columns.ts";
import type { Terminal } from "./command.ts";

const barWidth = 24;
/** Often enough for the eye. */
const redrawMs = 100;
const eraseLine = "\r\x1b[K";

/** Shows how far long work has come, in one line of a terminal. It shows nothing where errors go elsewhere. */
export class ProgressBar implements Progress, Disposable {
  readonly #errors: Terminal["errors"];
  readonly #clock: Clock;
  #what = "";
  #doneBytes = 0;
  #totalBytes = 0;
  #drawnMs = -Infinity;

  constructor({ errors }: Pick<Terminal, "errors">, clock: Clock) {
    this.#errors = errors;
    this.#clock = clock;
  }

  begin(what: string, totalBytes: number): void {
    this.#what = what;
    this.#doneBytes = 0;
    this.#totalBytes = totalBytes;
    this.#draw();
  }

  advance(bytes: number): void {
    this.#doneBytes += bytes;
    if (this.#clock.monotonicMs() - this.#drawnMs >= redrawMs) this.#draw();
  }

  [Symbol.dispose](): void {
    if (this.#errors.isTTY) this.#errors.write(eraseLine);
  }

  #draw(): void {
    if (!this.#errors.isTTY) return;
    this.#drawnMs = this.#clock.monotonicMs();
    this.#errors.write(eraseLine + this.#line().slice(0, (this.#errors.columns ?? 80) - 1));
  }

  #line(): string {
    const done = `${this.#what}  ${sizeText(this.#doneBytes)}`;
    // How much there is may not be known.
    if (this.#totalBytes === 0) return done;
    const share = Math.min(1, this.#doneBytes / this.#totalBytes);
    const bar = "#".repeat(Math.round(share * barWidth)).padEnd(barWidth, ".");
    return `${this.#what}  [${bar}] ${Math.floor(share * 100)} %  ${sizeText(this.#doneBytes)}`;
  }
}
