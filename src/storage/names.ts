/**
 * Integer IDs for strings that repeat: rooms, users, event types, and pairs of type and state key.
 * A string has one ID for ever; looking up never creates one, interning does.
 */
export interface NameStore {
  findUser(userId: string): Promise<number | undefined>;
  findEventType(type: string): Promise<number | undefined>;
  findStatePair(type: string, stateKey: string): Promise<number | undefined>;
  userId(userNid: number): Promise<string | undefined>;
  eventType(typeNid: number): Promise<string | undefined>;
  statePair(pairNid: number): Promise<StatePair | undefined>;
  internUser(userId: string, isLocal: boolean): Promise<number>;
  internEventType(type: string): Promise<number>;
  /** The highest integer ID of a pair; 0 when there is none. */
  highestPairNid(): Promise<number>;
  /** Many at once, in one write. @returns the users' integer IDs in the same order */
  internAll(names: ManyNames): Promise<readonly number[]>;
}

export interface ManyNames {
  readonly users: readonly { readonly userId: string; readonly isLocal: boolean }[];
  /** Those that are stored already stay what they are. */
  readonly pairs: readonly NumberedPair[];
}

export interface StatePair {
  readonly type: string;
  readonly stateKey: string;
}

/** A pair whose integer ID has been chosen before it is stored. */
export interface NumberedPair extends StatePair {
  readonly pairNid: number;
}
