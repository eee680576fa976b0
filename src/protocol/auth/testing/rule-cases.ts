import type { RoomVersion } from "../../room-versions.ts";
import type { AuthRejection } from "../rejection.ts";
import type { AuthRule } from "../rule-outline.ts";
import { type TestRoom, testRoom } from "./test-room.ts";

/** One numbered rule: an event that it refuses, and a like event that all rules allow. */
export interface RuleCase {
  readonly rule: AuthRule;
  /** What is special about this pair, when a rule has more than one. */
  readonly about?: string;
  /** The room versions that it holds for; absent for all that have the rule. */
  readonly versions?: (version: RoomVersion) => boolean;
  readonly refused: (room: TestRoom, version: RoomVersion) => AuthRejection | undefined;
  readonly allowed: (room: TestRoom, version: RoomVersion) => AuthRejection | undefined;
}

/** Runs one half of a case in the room of `testRoom`. */
export function judge(version: RoomVersion, half: RuleCase["refused"]): AuthRejection | undefined {
  return half(testRoom(version), version);
}
