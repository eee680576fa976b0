/** Somebody as a provider of single sign-on knows them. */
export interface ExternalId {
  readonly providerId: string;
  /** What the provider calls them for ever. */
  readonly externalId: string;
}

/** Who users are at providers of single sign-on. */
export interface ExternalIdStore {
  /** The user who somebody is here. */
  find(id: ExternalId): Promise<number | undefined>;
  /** All that one user is elsewhere. */
  list(userNid: number): Promise<ExternalId[]>;
  /** Makes somebody known as a user. False when they are known as somebody already. */
  link(userNid: number, id: ExternalId, nowTs: number): Promise<boolean>;
  /** Makes a user known by these and no others. False, and nothing changes, when somebody else has one of them. */
  replace(userNid: number, ids: readonly ExternalId[], nowTs: number): Promise<boolean>;
}
