import { useState } from "react";
import { type Loaded, useLoaded } from "./use-loaded.ts";

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; absent on the last one. */
  readonly next?: string | undefined;
  readonly total?: number | undefined;
}

export interface Pages<Row> extends Loaded<Page<Row>> {
  /** From 1. */
  readonly number: number;
  readonly goNext: (() => void) | undefined;
  readonly goBack: (() => void) | undefined;
}

/** A list of which the server gives a page at a time. @param key as for `useLoaded`: with another one it begins anew */
export function usePages<Row>(
  load: (from: string | undefined, signal: AbortSignal) => Promise<Page<Row>>,
  key: string,
  everyMs?: number,
): Pages<Row> {
  const [place, setPlace] = useState<{ key: string; starts: readonly string[] }>({ key, starts: [] });
  const starts = place.key === key ? place.starts : [];
  const from = starts.at(-1);
  const loaded = useLoaded((signal) => load(from, signal), `${key} ${from ?? ""}`, everyMs);
  const next = loaded.data?.next;
  return {
    ...loaded,
    number: starts.length + 1,
    goNext: next === undefined ? undefined : () => setPlace({ key, starts: [...starts, next] }),
    goBack: starts.length === 0 ? undefined : () => setPlace({ key, starts: starts.slice(0, -1) }),
  };
}
