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
  internStatePair(type: string, stateKey: string): Promise<number>;
  /** Many at once, in one write. @returns their integer IDs in the same order */
  internAll(names: ManyNames): Promise<ManyNids>;
}

export interface ManyNames {
  readonly users: readonly { readonly userId: string; readonly isLocal: boolean }[];
  readonly pairs: readonly StatePair[];
}

export interface ManyNids {
  readonly users: readonly number[];
  readonly pairs: readonly number[];
}

export interface StatePair {
  readonly type: string;
  readonly stateKey: string;
}
