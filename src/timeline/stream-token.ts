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
}

/** The token that a sync gives. */
export function syncToken({ position, toDevice }: StreamPoint): string {
  return toDevice === position ? streamToken(position) : `s${position}~${toDevice}`;
}

/**
 * @param name of the parameter, for the error
 * @throws MatrixError M_INVALID_PARAM
 */
export function parseSyncToken(token: string, name: string): StreamPoint {
  const [, position, toDevice] = /^s(-?\d{1,15})(?:~(\d{1,15}))?$/.exec(token) ?? [];
  if (position === undefined)
    throw new MatrixError("M_INVALID_PARAM", `${name} is not a token of this server`);
  return { position: Number(position), toDevice: Number(toDevice ?? position) };
}

/**
 * The position before which, itself included, a token's holder has seen everything.
 * @param name of the parameter, for the error
 * @throws MatrixError M_INVALID_PARAM
 */
export function parseStreamToken(token: string, name: string): number {
  return parseSyncToken(token, name).position;
}
