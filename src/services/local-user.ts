import type { UserId } from "../protocol/identifiers.ts";

/** A user of this server, by both names. */
export interface LocalUser {
  readonly userNid: number;
  readonly userId: UserId;
}
