import { readFileSync, statSync } from "node:fs";
import type { Clock } from "../../telemetry/clock.ts";

/** Programs that look up names through the operating system notice a change about as soon. */
const checkedAfterMs = 5_000;
/** No such file, or none that this process may read: the operating system goes on without it, too. */
const absentCodes: readonly unknown[] = ["ENOENT", "ENOTDIR", "EACCES", "EPERM"];

/** What is made of a file of the operating system, made anew when the file has changed. */
export class SystemFile<Value> {
  readonly #path: string;
  readonly #make: (text: string) => Value;
  readonly #clock: Clock;
  #made: { readonly value: Value; readonly stamp: string } | undefined;
  #checkedMs = 0;

  /** @param make gets nothing where there is no file */
  constructor(path: string, make: (text: string) => Value, clock: Clock) {
    this.#path = path;
    this.#make = make;
    this.#clock = clock;
  }

  get value(): Value {
    const nowMs = this.#clock.monotonicMs();
    if (this.#made && nowMs - this.#checkedMs < checkedAfterMs) return this.#made.value;
    this.#checkedMs = nowMs;
    const stamp = this.#stamp();
    if (this.#made?.stamp === stamp) return this.#made.value;
    this.#made = { value: this.#make(this.#text()), stamp };
    return this.#made.value;
  }

  /** Different after each change of the file. */
  #stamp(): string {
    const { mtimeMs, ino, size } = statSync(this.#path, { throwIfNoEntry: false }) ?? {};
    return `${mtimeMs} ${ino} ${size}`;
  }

  #text(): string {
    try {
      return readFileSync(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && absentCodes.includes(error.code)) return "";
      throw error;
    }
  }
}
