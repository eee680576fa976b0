import type { Sealer } from "../../auth/sealer.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { ExternalIdentity, SignOnPurpose } from "../../sso/single-sign-on.ts";

/** Somebody whom a provider has signed in, and who has no account yet. */
export interface Newcomer {
  readonly identity: ExternalIdentity;
  readonly purpose: SignOnPurpose;
}

const sealPurpose = "newcomer";
const lifetimeMs = 30 * 60 * 1000;

/** Keeps newcomers in the forms that they fill in, sealed, until they have chosen a username. */
export class Newcomers {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  seal({ identity, purpose }: Newcomer): string {
    const content: unknown = JSON.parse(JSON.stringify({ identity, purpose }));
    return this.#sealer.seal(sealPurpose, content as JsonObject, lifetimeMs);
  }

  open(sealed: string): Newcomer | undefined {
    // What this server has sealed itself is as it was.
    return this.#sealer.open(sealPurpose, sealed) as Newcomer | undefined;
  }
}
