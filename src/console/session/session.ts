import { ApiError, call, type Call, path } from "../api/matrix-api.ts";

/** What the server gives to somebody who has signed in. */
interface Login {
  readonly user_id: string;
  readonly device_id: string;
  readonly access_token: string;
  readonly refresh_token?: string;
}

interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
}

/** An account that is no administrator's has signed in, and out again. */
export class NoAdministratorError extends Error {}

const deviceKey = "hearth.console.device";

/**
 * Somebody who has signed in. The tokens are in this object alone: they end with the page, no other page finds them, and a
 * token that leaked ends by itself where the server gives a refresh token.
 */
export class Session {
  readonly userId: string;
  #tokens: Tokens;
  #refreshing: Promise<void> | undefined;
  readonly #ended: () => void;

  private constructor(login: Login, ended: () => void) {
    this.userId = login.user_id;
    this.#tokens = tokensOf(login);
    this.#ended = ended;
  }

  /**
   * @param ended called when the server knows the session no more
   * @throws ApiError, NoAdministratorError
   */
  static async begin(credentials: object, ended: () => void): Promise<Session> {
    const body = {
      ...credentials,
      initial_device_display_name: "Hearth console",
      refresh_token: true,
      // The same again in this browser, so that sessions that were left without signing out do not pile up.
      device_id: localStorage.getItem(deviceKey) ?? undefined,
    };
    const response = await call("/_matrix/client/v3/login", { method: "POST", body });
    const login = (await response.json()) as Login;
    localStorage.setItem(deviceKey, login.device_id);
    const session = new Session(login, ended);
    try {
      await session.get(path`/_synapse/admin/v1/users/${login.user_id}/admin`);
    } catch (error) {
      await session.end();
      if (error instanceof ApiError && error.errcode === "M_FORBIDDEN") throw new NoAdministratorError();
      throw error;
    }
    return session;
  }

  /** The part of the user's ID behind its first colon. */
  get serverName(): string {
    return this.userId.slice(this.userId.indexOf(":") + 1);
  }

  async get<Answer>(to: string, query?: Call["query"], signal?: AbortSignal): Promise<Answer> {
    return (await (await this.#ask(to, { ...(query && { query }), signal })).json()) as Answer;
  }

  async send<Answer = unknown>(
    method: "PUT" | "POST" | "DELETE",
    to: string,
    body: object = {},
  ): Promise<Answer> {
    return (await (await this.#ask(to, { method, body })).json()) as Answer;
  }

  async file(to: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.#ask(to, { signal })).blob();
  }

  /** Signs out. A session that the server does not know any more has ended already. */
  async end(): Promise<void> {
    try {
      await call("/_matrix/client/v3/logout", { method: "POST", body: {}, token: this.#tokens.access });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async #ask(to: string, asked: Call): Promise<Response> {
    const { access } = this.#tokens;
    try {
      return await call(to, { ...asked, token: access });
    } catch (error) {
      if (!(error instanceof ApiError) || error.errcode !== "M_UNKNOWN_TOKEN") throw error;
      await this.#renew(access, error);
      return call(to, { ...asked, token: this.#tokens.access });
    }
  }

  /** @throws the error when there is nothing to be done */
  async #renew(used: string, error: ApiError): Promise<void> {
    // Another request may have renewed it meanwhile.
    if (this.#tokens.access !== used) return;
    const { refresh } = this.#tokens;
    if (!error.isSoftLogout || refresh === undefined) {
      this.#ended();
      throw error;
    }
    this.#refreshing ??= this.#refresh(refresh).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #refresh(token: string): Promise<void> {
    try {
      const body = { refresh_token: token };
      const response = await call("/_matrix/client/v3/refresh", { method: "POST", body });
      const login = (await response.json()) as Login;
      this.#tokens = { refresh: token, ...withoutUndefined(tokensOf(login)) };
    } catch (error) {
      if (error instanceof ApiError) this.#ended();
      throw error;
    }
  }
}

function tokensOf({ access_token: access, refresh_token: refresh }: Login): Tokens {
  return { access, refresh };
}

/** A server may keep the refresh token that there is. */
function withoutUndefined({ access, refresh }: Tokens) {
  return { access, ...(refresh !== undefined && { refresh }) };
}
