import type { IncomingMessage, ServerResponse } from "node:http";
import type { DeviceCode, Interaction, InteractionResults, Provider } from "oidc-provider";
import type { UserId } from "../protocol/identifiers.ts";
import { deviceOfScope, knownScope, wholeScope } from "./scopes.ts";

/** What a user is told of a client that asks for access. */
export interface ClientInfo {
  readonly clientId: string;
  readonly name: string;
  readonly uri: string | undefined;
  readonly termsUri: string | undefined;
  readonly policyUri: string | undefined;
}

/** A client that waits for a user to say whether it may sign in. */
export interface AuthorizationRequest {
  readonly client: ClientInfo;
  readonly redirectUri: URL;
  readonly deviceId: string;
  readonly begunTs: number;
  /** Whether the client wishes that the user sign in anew, whoever is signed in. */
  readonly wantsSignIn: boolean;
  /** Whether the client wishes that the user make an account. */
  readonly wantsAccount: boolean;
  readonly loginHint: string | undefined;
  readonly locales: string | undefined;
}

/** A device that shows a code and waits. */
export interface DeviceRequest {
  readonly client: ClientInfo;
  readonly deviceId: string;
  /** As it is shown on the device. */
  readonly userCode: string;
  /** The network address that the device asked from. */
  readonly address: string;
}

/** The OAuth 2.0 server. oidc-provider is loaded when it is first needed: it takes some memory, and not all servers use it. */
export class AuthorizationServer {
  readonly #make: (addressOf: (incoming: IncomingMessage) => string) => Promise<Provider>;
  readonly #addresses = new WeakMap<IncomingMessage, string>();
  #made: Promise<Provider> | undefined;

  /** @param make is called once; it may fail and be called again */
  constructor(make: (addressOf: (incoming: IncomingMessage) => string) => Promise<Provider>) {
    this.#make = make;
  }

  /** Answers a request to one of the protocol's own endpoints. @param address the client's, after proxies */
  async answer(incoming: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    this.#addresses.set(incoming, address);
    const provider = await this.#provider();
    await provider.callback()(incoming, response);
  }

  /** The request that a browser is asked about; `undefined` when it has expired, or is another browser's. */
  async authorizationRequest(
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<AuthorizationRequest | undefined> {
    const interaction = await this.#interaction(incoming, response);
    const params = interaction?.params ?? {};
    const client = await this.#client(params["client_id"]);
    const device = deviceOfScope(text(params[wholeScope]) ?? "");
    const redirectUri = URL.parse(text(params["redirect_uri"]) ?? "");
    if (!interaction || !client || !redirectUri || "fault" in device) return undefined;
    const prompts = (text(params["prompt"]) ?? "").split(" ");
    return {
      client,
      redirectUri,
      deviceId: device.deviceId,
      begunTs: interaction.iat * 1000,
      wantsSignIn: prompts.includes("login"),
      wantsAccount: prompts.includes("create"),
      loginHint: text(params["login_hint"]),
      locales: text(params["ui_locales"]),
    };
  }

  /**
   * The user lets the client sign in.
   * @returns where the browser has to go; `undefined` when the request has expired
   */
  async allow(
    incoming: IncomingMessage,
    response: ServerResponse,
    userId: UserId,
  ): Promise<string | undefined> {
    const interaction = await this.#interaction(incoming, response);
    if (!interaction) return undefined;
    const { client_id: clientId, [wholeScope]: scope } = interaction.params;
    const grantId = await this.#grant(userId, text(clientId) ?? "", text(scope) ?? "");
    const login = { accountId: userId, remember: false };
    return this.#finish(incoming, response, { login, consent: { grantId }, create: {} });
  }

  /** The user does not let the client sign in. */
  async deny(incoming: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
    const interaction = await this.#interaction(incoming, response);
    const refusal = { error: "access_denied", error_description: "The user did not allow it" };
    return interaction && this.#finish(incoming, response, refusal);
  }

  /** The device that shows a code, which people may write as they like; `undefined` when none does, or no longer. */
  async deviceRequest(userCode: string): Promise<DeviceRequest | undefined> {
    const code = await this.#deviceCode(userCode);
    const client = await this.#client(code?.params?.["client_id"]);
    const device = deviceOfScope(text(code?.params?.[wholeScope]) ?? "");
    if (!code || !client || "fault" in device) return undefined;
    const normal = normalCode(userCode);
    const address = text(code.deviceInfo?.["address"]) ?? "";
    return {
      client,
      deviceId: device.deviceId,
      userCode: `${normal.slice(0, 4)}-${normal.slice(4)}`,
      address,
    };
  }

  /** The user lets the device sign in. False when its code has expired or been used. */
  async allowDevice(userCode: string, userId: UserId): Promise<boolean> {
    const code = await this.#deviceCode(userCode);
    if (!code) return false;
    const scope = knownScope(text(code.params?.[wholeScope]) ?? "");
    const grantId = await this.#grant(userId, code.clientId ?? "", scope);
    Object.assign(code, { accountId: userId, grantId, scope });
    await code.save();
    return true;
  }

  /** The user does not let the device sign in. False when its code has expired or been used. */
  async denyDevice(userCode: string): Promise<boolean> {
    const code = await this.#deviceCode(userCode);
    if (!code) return false;
    Object.assign(code, { error: "access_denied", errorDescription: "The user did not allow it" });
    await code.save();
    return true;
  }

  async #interaction(incoming: IncomingMessage, response: ServerResponse): Promise<Interaction | undefined> {
    const provider = await this.#provider();
    try {
      return await provider.interactionDetails(incoming, response);
    } catch (error) {
      // It has expired, or the browser has not begun it.
      if (error instanceof Error && error.name === "SessionNotFound") return undefined;
      throw error;
    }
  }

  async #finish(
    incoming: IncomingMessage,
    response: ServerResponse,
    result: InteractionResults,
  ): Promise<string> {
    const provider = await this.#provider();
    return provider.interactionResult(incoming, response, result, { mergeWithLastSubmission: false });
  }

  async #client(clientId: unknown): Promise<ClientInfo | undefined> {
    const provider = await this.#provider();
    const client = typeof clientId === "string" ? await provider.Client.find(clientId) : undefined;
    return (
      client && {
        clientId: client.clientId,
        name: client.clientName ?? new URL(client.clientUri ?? "").hostname,
        uri: client.clientUri,
        termsUri: client.tosUri,
        policyUri: client.policyUri,
      }
    );
  }

  async #grant(userId: UserId, clientId: string, scope: string): Promise<string> {
    const provider = await this.#provider();
    const grant = new provider.Grant({ accountId: userId, clientId });
    grant.addOIDCScope(knownScope(scope));
    return grant.save();
  }

  async #deviceCode(userCode: string): Promise<DeviceCode | undefined> {
    const provider = await this.#provider();
    const code = await provider.DeviceCode.findByUserCode(normalCode(userCode));
    const isOpen = code && !code.isExpired && code.accountId === undefined && code.error === undefined;
    return isOpen ? code : undefined;
  }

  #provider(): Promise<Provider> {
    this.#made ??= this.#make((incoming) => this.#addresses.get(incoming) ?? "").catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }
}

function normalCode(userCode: string): string {
  return userCode.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
