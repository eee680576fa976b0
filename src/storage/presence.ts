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

/** Presence as it was when it last changed. A row goes when its account is deactivated. */
export interface PresenceStore {
  find(userNid: number): Promise<UserPresence | undefined>;
  /** Those who were not offline when it was last stored. */
  present(limit: number): Promise<UserPresence[]>;
  /** Who has changed after a position, the newest change first. */
  changedSince(position: number, limit: number): Promise<number[]>;
  /** Stores changes; each takes a position in the stream `presence`. Deactivated accounts are left out. */
  put(changed: readonly UserPresence[]): Promise<void>;
  /** Stores when users were last active, which by itself is no change. */
  noteActivity(activity: readonly UserActivity[]): Promise<void>;
}
