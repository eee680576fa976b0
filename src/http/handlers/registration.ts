import {
  checkUsernameAvailability,
  register,
  registrationTokenValidity,
} from "../../api/client/registration.ts";
import type { Flows, InteractiveAuth } from "../../auth/interactive.ts";
import type { Authenticator, Requester } from "../../auth/requester.ts";
import { dummyStage, type RegistrationTokenStage } from "../../auth/stages.ts";
import type { Config } from "../../config/schema.ts";
import { localpart, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { checkNewPassword } from "../../services/accounts/new-password.ts";
import type { Registration } from "../../services/accounts/registration.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Request } from "../request.ts";
import { registeredJson, sessionWish } from "./sessions.ts";

export interface RegistrationHandling {
  readonly registration: Registration;
  readonly interactive: InteractiveAuth;
  readonly tokenStage: RegistrationTokenStage;
  readonly authenticator: Authenticator;
  readonly serverName: ServerName;
  readonly policy: Config["registration"];
}

/** Client-server API, "Account registration" and "Guest Access". */
export function registrationHandlers(parts: RegistrationHandling): BoundEndpoint[] {
  const { registration, policy, tokenStage } = parts;
  return [
    handler(register, (request) =>
      request.query.kind === "guest" ? registerGuest(request, parts) : registerUser(request, parts),
    ),
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
  const { registration, interactive, policy } = parts;
  const { body } = request;
  if (policy.mode === "closed") throw registrationClosed();
  const userId = registration.userIdFor(body.username);
  if (body.password !== undefined) checkNewPassword(body.password);
  const guest = await upgradingGuest(request, userId, parts);
  if (!guest) await registration.checkAvailable(userId);
  const flows = flowsOf(policy.mode);
  const proof = await interactive.require(request, flows);
  if (body.password === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing password");
  const token = proof.get("m.login.registration_token")?.["token"];
  const registered = await registration.register({
    userId,
    password: body.password,
    displayName: body.username ?? localpart(userId),
    guest,
    registrationToken: typeof token === "string" ? token : undefined,
    session: body.inhibit_login ? undefined : sessionWish(body),
  });
  return registeredJson(registered, parts.serverName);
}

function flowsOf(mode: "open" | "token"): Flows {
  return [[mode === "open" ? dummyStage.type : "m.login.registration_token"]];
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
