import { useMemo } from "react";
import { type Language, useLanguage } from "../texts/texts-context.ts";

/** Numbers, sizes and times in a reader's own writing. */
export class Format {
  readonly #number: Intl.NumberFormat;
  readonly #size: Intl.NumberFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #clock: Intl.DateTimeFormat;
  /** As the browser's user writes it, who may be British, too. */
  readonly #language: string;

  constructor(language: Language) {
    const tag = navigator.languages.find((known) => known.split("-")[0] === language) ?? language;
    this.#language = tag;
    this.#number = new Intl.NumberFormat(tag);
    this.#size = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
    this.#time = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "medium" });
    this.#clock = new Intl.DateTimeFormat(tag, { timeStyle: "medium" });
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  bytes(value: number): string {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), units.length - 1);
    return `${this.#size.format(value / 2 ** (10 * power))} ${units[power]}`;
  }

  /** @param ts milliseconds since the epoch */
  time(ts: number | null | undefined): string {
    return ts === null || ts === undefined || ts === 0 ? "–" : this.#time.format(ts);
  }

  /** The time of day. @param ts milliseconds since the epoch */
  clock(ts: number): string {
    return this.#clock.format(ts);
  }

  /** How long, in the two largest units that count. */
  duration(ms: number): string {
    const parts = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000 };
    let left = Math.max(0, ms);
    const words = Object.entries(parts).flatMap(([unit, size]) => {
      const count = Math.floor(left / size);
      left -= count * size;
      return count === 0 ? [] : [this.#unit(count, unit.slice(0, -1))];
    });
    return words.slice(0, 2).join(" ") || this.#unit(0, "second");
  }

  #unit(count: number, unit: string): string {
    return new Intl.NumberFormat(this.#language, { style: "unit", unit, unitDisplay: "short" }).format(count);
  }
}

export function useFormat(): Format {
  const { language } = useLanguage();
  return useMemo(() => new Format(language), [language]);
}
