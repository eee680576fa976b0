import {
  checkUsernameAvailability,
  register,
  registrationTokenValidity,
} from "../../api/client/registration.ts";
import { provenSessions, type SessionCredentials } from "../../auth/contact-stages.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import { registrationFlows } from "../../auth/registration-flows.ts";
import type { Authenticator, Requester } from "../../auth/requester.ts";
import type { RegistrationTokenStage } from "../../auth/stages.ts";
import type { Config } from "../../config/schema.ts";
import { localpart, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { PasswordPolicy } from "../../services/accounts/new-password.ts";
import { type AppserviceAccounts, requireAppservice } from "../../services/accounts/appservice-accounts.ts";
import type { Registration } from "../../services/accounts/registration.ts";
import type { ContactValidations } from "../../services/contacts/contact-validations.ts";
import type { Contact } from "../../storage/contacts.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Request } from "../request.ts";
import { registeredJson, sessionWish } from "./sessions.ts";

export interface RegistrationHandling {
  readonly appserviceAccounts: AppserviceAccounts;
  readonly registration: Registration;
  readonly interactive: InteractiveAuth;
  readonly tokenStage: RegistrationTokenStage;
  readonly authenticator: Authenticator;
  readonly serverName: ServerName;
  readonly policy: Config["registration"];
  readonly passwordPolicy: PasswordPolicy;
  readonly validations: ContactValidations;
  /** Told of the addresses that a new user has. */
  readonly contactsAdded: (userId: UserId, contacts: readonly Contact[]) => Promise<void>;
}

/** Client-server API, "Account registration" and "Guest Access". */
export function registrationHandlers(parts: RegistrationHandling): BoundEndpoint[] {
  const { registration, policy, tokenStage } = parts;
  return [
    handler(register, (request) => {
      if (request.body.type === "m.login.application_service") return registerByAppservice(request, parts);
      return request.query.kind === "guest" ? registerGuest(request, parts) : registerUser(request, parts);
    }),
    handler(checkUsernameAvailability, async ({ query }) => {
      await registration.checkAvailable(registration.userIdFor(query.username));
      return { available: true };
    }),
    handler(registrationTokenValidity, async ({ query }) => {
      if (policy.mode === "closed") throw registrationClosed();
      return { valid: await tokenStage.isValid(query.token) };
    }),
  ];
}

async function registerUser(request: Request<typeof register>, parts: RegistrationHandling): Promise<object> {
  const { registration, interactive, policy, passwordPolicy } = parts;
  const { body } = request;
  if (policy.mode === "closed") throw registrationClosed();
  const userId = registration.userIdFor(body.username);
  if (body.password !== undefined) passwordPolicy.check(body.password);
  const guest = await upgradingGuest(request, userId, parts);
  if (!guest) await registration.checkAvailable(userId);
  const proof = await interactive.require(request, registrationFlows(policy));
  if (body.password === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing password");
  const token = proof.get("m.login.registration_token")?.["token"];
  const sessions = provenSessions(proof);
  const contacts = await provenContacts(sessions, parts);
  const registered = await registration.register({
    userId,
    password: body.password,
    displayName: body.username ?? localpart(userId),
    guest,
    registrationToken: typeof token === "string" ? token : undefined,
    contacts,
    // Who cannot go on without accepting has accepted all of them.
    acceptedPolicies: policy.terms,
    session: body.inhibit_login ? undefined : sessionWish(body),
  });
  for (const session of sessions) await parts.validations.end(session);
  await parts.contactsAdded(userId, contacts);
  return registeredJson(registered, parts.serverName);
}

/** @throws MatrixError M_THREEPID_AUTH_FAILED for an address that was not proved for this */
async function provenContacts(
  sessions: readonly SessionCredentials[],
  { validations }: RegistrationHandling,
): Promise<Contact[]> {
  const proven = await Promise.all(sessions.map((session) => validations.require(session, "register")));
  return proven.map((contact) => ({ ...contact, addedTs: contact.validatedTs }));
}

/** Application service API, "Server admin style permissions": whatever the policy for everybody else. */
async function registerByAppservice(
  { body, requester, context }: Request<typeof register>,
  { appserviceAccounts, serverName }: RegistrationHandling,
): Promise<object> {
  const appserviceId = requireAppservice(requester?.appserviceId, context.hasToken);
  const session = body.inhibit_login ? undefined : sessionWish(body);
  return registeredJson(await appserviceAccounts.register(appserviceId, body.username, session), serverName);
}

async function registerGuest(
  { body }: Request<typeof register>,
  { registration, policy, serverName }: RegistrationHandling,
): Promise<object> {
  if (!policy.guests) throw new MatrixError("M_FORBIDDEN", "This server has no guest accounts");
  const registered = await registration.registerGuest(body.initial_device_display_name);
  return registeredJson(registered, serverName);
}

/**
 * The guest that wants to become a user, who has to keep the name (client-server API, "Guest Access").
 * @throws MatrixError M_FORBIDDEN when the token is not that of a guest of this name.
 */
async function upgradingGuest(
  { body, context }: Request<typeof register>,
  userId: UserId,
  { authenticator }: RegistrationHandling,
): Promise<Requester | undefined> {
  const token = body.guest_access_token;
  if (token === undefined) return undefined;
  const guest = await authenticator.requesterOf(token, context).catch((error: unknown) => {
    if (error instanceof MatrixError && error.errcode === "M_UNKNOWN_TOKEN") return undefined;
    throw error;
  });
  if (guest?.isGuest && guest.userId === userId) return guest;
  throw new MatrixError(
    "M_FORBIDDEN",
    "guest_access_token has to be that of a guest, and username the guest's name",
  );
}

function registrationClosed(): MatrixError {
  return new MatrixError(
    "M_FORBIDDEN",
    "Registration is closed: ask an administrator of this server for an account",
  );
}
