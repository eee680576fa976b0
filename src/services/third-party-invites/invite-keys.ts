import { createHmac } from "node:crypto";
import { SigningKey } from "../../protocol/ed25519.ts";
import type { ServerName, UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { signJson } from "../../protocol/json-signing.ts";

const keyId = "ed25519:invite";

/**
 * The keys of the invitations that this server vouches for: one for each, made from its token and a secret, so that no
 * private key is stored and none is good for a second invitation.
 */
export class InviteKeys {
  readonly #secret: Buffer;
  readonly #serverName: ServerName;

  constructor(secret: Buffer, serverName: ServerName) {
    this.#secret = secret;
    this.#serverName = serverName;
  }

  /** As unpadded Base64. */
  publicKey(token: string): string {
    return this.#key(token).publicKey;
  }

  /** The proof that a user has the address to which an invitation went (server-server API, "Verifying the invite"). */
  sign(token: string, userId: UserId): JsonObject {
    return signJson({ mxid: userId, token }, this.#serverName, this.#key(token));
  }

  #key(token: string): SigningKey {
    return new SigningKey(keyId, createHmac("sha256", this.#secret).update(token).digest());
  }
}
