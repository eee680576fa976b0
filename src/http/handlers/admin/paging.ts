import { MatrixError } from "../../../protocol/matrix-error.ts";

const defaultPageSize = 100;
const maxPageSize = 1_000;

/** How many entries a page has, as the query of a list asks for. */
export function pageSize(limit: number | undefined): number {
  return Math.min(limit ?? defaultPageSize, maxPageSize);
}

/**
 * Where a page begins.
 * @param from the query's `from`: the `next_token` of the page before
 * @param first what it is without one
 * @throws MatrixError M_INVALID_PARAM
 */
export function offsetFrom(from: string | undefined, first: number): number {
  if (from === undefined) return first;
  const offset = /^\d{1,15}$/.test(from) ? Number(from) : Number.NaN;
  if (!Number.isNaN(offset)) return offset;
  throw new MatrixError("M_INVALID_PARAM", "from is not the next_token of a page before");
}

/** Where the pages before and after one begin, in lists that name them `next_batch` and `prev_batch`. */
export function pageLinks(offset: number, limit: number, total: number): object {
  return {
    ...(offset + limit < total && { next_batch: offset + limit }),
    ...(offset > 0 && { prev_batch: Math.max(0, offset - limit) }),
  };
}
