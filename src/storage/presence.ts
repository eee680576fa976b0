export const presenceStates = { online: 1, unavailable: 2, offline: 3 } as const;
/** Client-server API, "Presence". */
export type PresenceState = keyof typeof presenceStates;

const stateNames: readonly (PresenceState | undefined)[] = [undefined, "online", "unavailable", "offline"];

export function presenceStateOfCode(code: number): PresenceState {
  return stateNames[code] ?? "offline";
}

/** How a user is seen by those who share a room with them. */
export interface UserPresence {
  readonly userNid: number;
  readonly state: PresenceState;
  readonly statusMessage: string | null;
  /** When they last did something by themselves, in milliseconds since the epoch. */
  readonly lastActiveTs: number;
}

export interface UserActivity {
  readonly userNid: number;
  readonly lastActiveTs: number;
}

/** Somebody who was not offline when their presence was last stored. */
export interface StoredPresence extends UserPresence {
  readonly isLocal: boolean;
}

/**
 * Presence as it was when it last changed. A row goes when its account is deactivated; of the users of other servers who
 * are offline so many are kept.
 */
export interface PresenceStore {
  find(userNid: number): Promise<UserPresence | undefined>;
  /** Those who were not offline when it was last stored. */
  present(limit: number): Promise<StoredPresence[]>;
  /** Those of them who are joined to one of some rooms. */
  presentIn(roomNids: readonly number[], limit: number): Promise<number[]>;
  /** Who has changed after a position, the newest change first. */
  changedSince(position: number, limit: number): Promise<number[]>;
  /** Stores changes; each takes a position in the stream `presence`. Deactivated accounts are left out. */
  put(changed: readonly UserPresence[]): Promise<void>;
  /** Stores when users were last active, which by itself is no change. */
  noteActivity(activity: readonly UserActivity[]): Promise<void>;
  /** Forgets users of other servers who are offline, all but the `kept` who went last. */
  forgetRemote(kept: number): Promise<void>;
}
