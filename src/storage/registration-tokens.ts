/** A token that lets people register (client-server API, "Token-authenticated registration"). */
export interface RegistrationToken {
  readonly token: string;
  /** `null`: as often as one likes. */
  readonly usesAllowed: number | null;
  readonly uses: number;
  /** `null`: it does not expire. */
  readonly expiresTs: number | null;
  readonly createdTs: number;
}

export interface RegistrationTokenStore {
  find(token: string): Promise<RegistrationToken | undefined>;
  /** All tokens, by name. */
  list(): Promise<RegistrationToken[]>;
  /** False when there is such a token already. */
  create(token: RegistrationToken): Promise<boolean>;
  /** Sets how often and how long a token may be used. False when there is none. */
  update(token: string, usesAllowed: number | null, expiresTs: number | null): Promise<boolean>;
  /** False when there was none. */
  remove(token: string): Promise<boolean>;
}
