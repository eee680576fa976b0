import { useCallback, useEffect, useEffectEvent, useState } from "react";

export interface Loaded<Data> {
  /** What was there at last, also while something newer is fetched. */
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface State<Data> {
  readonly key: string;
  readonly turn: number;
  readonly data?: Data;
  readonly error?: unknown;
}

/**
 * Fetches what a page shows.
 * @param key what is asked for: with another one it is fetched anew
 * @param everyMs fetches it again and again, while the page can be seen
 */
export function useLoaded<Data>(
  load: (signal: AbortSignal) => Promise<Data>,
  key: string,
  everyMs?: number,
): Loaded<Data> {
  const [state, setState] = useState<State<Data>>({ key, turn: 0 });
  const [turn, setTurn] = useState(1);
  const fetchAll = useEffectEvent(async (signal: AbortSignal, asked: { key: string; turn: number }) => {
    const found = await load(signal).then(
      (data) => ({ data }),
      (error: unknown) => ({ error }),
    );
    if (!signal.aborted) setState({ ...asked, ...found });
  });
  useEffect(() => {
    const abort = new AbortController();
    void fetchAll(abort.signal, { key, turn });
    return () => abort.abort();
  }, [key, turn]);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") setTurn((before) => before + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const isSame = state.key === key;
  return {
    data: isSame ? state.data : undefined,
    error: isSame ? state.error : undefined,
    isLoading: !isSame || state.turn !== turn,
    reload: useCallback(() => setTurn((before) => before + 1), []),
  };
}
