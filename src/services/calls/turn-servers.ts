import { createHmac } from "node:crypto";
import type { Config } from "../../config/schema.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** What lets a client use the TURN servers. */
export interface TurnCredentials {
  readonly uris: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly lifetimeSeconds: number;
}

/** Hands out credentials for the TURN servers (client-server API, "Voice over IP"). */
export class TurnServers {
  readonly #config: Config["calls"]["turn"];
  readonly #clock: Clock;

  constructor(config: Config["calls"]["turn"], clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** @throws MatrixError M_NOT_FOUND when there is no TURN server. */
  credentialsFor({ userId }: { readonly userId: string }): TurnCredentials {
    const { uris, shared_secret: secret, credential_lifetime_seconds: lifetimeSeconds } = this.#config;
    if (uris.length === 0) throw new MatrixError("M_NOT_FOUND", "This server has no TURN server");
    if (secret === null) {
      const { username, password } = this.#config;
      return { uris, username, password, lifetimeSeconds };
    }
    // As TURN servers have agreed on ("A REST API For Access To TURN Services", draft-uberti-behave-turn-rest).
    const username = `${Math.floor(this.#clock.nowMs() / 1000) + lifetimeSeconds}:${userId}`;
    const password = createHmac("sha1", secret).update(username).digest("base64");
    return { uris, username, password, lifetimeSeconds };
  }
}
