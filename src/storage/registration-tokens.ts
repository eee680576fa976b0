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

/** Whether somebody can register with it. */
export function isUsable(
  { usesAllowed, uses, expiresTs }: Pick<RegistrationToken, "usesAllowed" | "uses" | "expiresTs">,
  nowTs: number,
): boolean {
  return (usesAllowed === null || uses < usesAllowed) && (expiresTs === null || expiresTs > nowTs);
}

export interface RegistrationTokenStore {
  find(token: string): Promise<RegistrationToken | undefined>;
  /** All tokens, by name. */
  list(): Promise<RegistrationToken[]>;
  create(token: RegistrationToken, maxTokens: number): Promise<"created" | "exists" | "too-many">;
  /** Sets how often and how long a token may be used. False when there is none. */
  update(token: string, usesAllowed: number | null, expiresTs: number | null): Promise<boolean>;
  /** False when there was none. */
  remove(token: string): Promise<boolean>;
}
