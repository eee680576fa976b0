import { TokenAuthenticator } from "../auth/authenticator.ts";
import { DeviceActivity } from "../auth/device-activity.ts";
import { InteractiveAuth } from "../auth/interactive.ts";
import { PasswordCheck } from "../auth/password-check.ts";
import { PasswordHasher } from "../auth/password-hasher.ts";
import { dummyStage, PasswordStage, RegistrationTokenStage } from "../auth/stages.ts";
import type { Config } from "../config/schema.ts";
import { accountHandlers } from "../http/handlers/account.ts";
import { loginHandlers } from "../http/handlers/login.ts";
import { registrationHandlers } from "../http/handlers/registration.ts";
import type { BoundEndpoint, PipelineParts } from "../http/pipeline.ts";
import { BucketRateLimiter, unlimited } from "../http/rate-limit.ts";
import { Login } from "../services/accounts/login.ts";
import { SessionFactory } from "../services/accounts/new-session.ts";
import { Registration } from "../services/accounts/registration.ts";
import type { Stores } from "../storage/database.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RandomBytes } from "../telemetry/random.ts";

export interface AccountParts extends PipelineParts {
  readonly authenticator: TokenAuthenticator;
  readonly activity: DeviceActivity;
  readonly handlers: readonly BoundEndpoint[];
}

/** Accounts, their sessions and devices, and what stands before every endpoint: authentication and rate limits. */
export function composeAccounts(
  config: Config,
  stores: Stores,
  clock: Clock,
  randomBytes: RandomBytes,
  log: Logger,
): AccountParts {
  const { accounts, sessions } = stores;
  const { server_name: serverName, password_hashing: hashing, rate_limits: limits } = config;
  const hasher = new PasswordHasher({ memoryKib: hashing.memory_kib, passes: hashing.passes });
  const passwords = new PasswordCheck(accounts, hasher, clock, limits.enabled);
  const activity = new DeviceActivity(stores.devices, clock, log);
  const authenticator = new TokenAuthenticator(sessions, activity, clock);
  const tokenStage = new RegistrationTokenStage(stores.registrationTokens, clock);
  const passwordStage = new PasswordStage(accounts, passwords, serverName);
  const interactive = new InteractiveAuth([dummyStage, passwordStage, tokenStage], clock, randomBytes);
  const factory = new SessionFactory(clock, randomBytes);
  const registration = new Registration(accounts, hasher, factory, serverName, clock, randomBytes);
  const logins = new Login(accounts, sessions, factory, passwords, serverName, clock);
  return {
    authenticator,
    activity,
    interactive,
    rateLimiter: limits.enabled ? new BucketRateLimiter(clock) : unlimited,
    handlers: [
      ...registrationHandlers({
        registration,
        interactive,
        tokenStage,
        authenticator,
        policy: config.registration,
      }),
      ...accountHandlers(),
      ...loginHandlers(logins, config.public_base_url),
    ],
  };
}
