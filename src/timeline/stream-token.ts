import { MatrixError } from "../protocol/matrix-error.ts";

/**
 * A point of the one stream, between a position and the next: what is at or before it has been seen. Sync and pagination
 * share these tokens.
 */
export function streamToken(position: number): string {
  return `s${position}`;
}

/** What a token stands for. */
export interface StreamPoint {
  readonly position: number;
  /** How far to-device messages have been seen: behind the position while there are more than one answer takes. */
  readonly toDevice: number;
  /** The same of sticky events. */
  readonly sticky: number;
}

/** Whether there were more sticky events than one answer takes. */
export function isBehind(since: StreamPoint | undefined): boolean {
  return since !== undefined && since.sticky < since.position;
}

/** The token that a sync gives. */
export function syncToken({ position, toDevice, sticky }: StreamPoint): string {
  if (sticky !== position) return `s${position}~${toDevice}~${sticky}`;
  return toDevice === position ? streamToken(position) : `s${position}~${toDevice}`;
}

/**
 * @param name of the parameter, for the error
 * @throws MatrixError M_INVALID_PARAM
 */
export function parseSyncToken(token: string, name: string): StreamPoint {
  const [, position, toDevice, sticky] = /^s(-?\d{1,15})(?:~(\d{1,15}))?(?:~(\d{1,15}))?$/.exec(token) ?? [];
  if (position === undefined)
    throw new MatrixError("M_INVALID_PARAM", `${name} is not a token of this server`);
  return {
    position: Number(position),
    toDevice: Number(toDevice ?? position),
    sticky: Number(sticky ?? position),
  };
}

/** The `pos` of sliding sync: the version of a connection, and the position that it has come to. */
const slidingPos = /^[\w-]{12}\.(\d{1,15})$/;

/**
 * The position before which, itself included, a token's holder has seen everything. It may be of either kind of sync: "a
 * `pos` token can be used in the same way as a `next_batch` from `/v3/sync`" (MSC4186).
 * @param name of the parameter, for the error
 * @throws MatrixError M_INVALID_PARAM
 */
export function parseStreamToken(token: string, name: string): number {
  const [, digits] = slidingPos.exec(token) ?? [];
  return digits === undefined ? parseSyncToken(token, name).position : Number(digits);
}
