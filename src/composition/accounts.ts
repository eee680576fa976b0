import type { AppserviceRegistry } from "../appservices/registry.ts";
import { AppserviceAuthenticator } from "../auth/appservice-authenticator.ts";
import { TokenAuthenticator } from "../auth/authenticator.ts";
import { ContactOwners } from "../auth/contact-owners.ts";
import { ContactStage } from "../auth/contact-stages.ts";
import { CrossSigningResets } from "../auth/cross-signing-resets.ts";
import { DeviceActivity } from "../auth/device-activity.ts";
import { InteractiveAuth } from "../auth/interactive.ts";
import { oauthStages } from "../auth/oauth-stage.ts";
import { PasswordCheck } from "../auth/password-check.ts";
import { PasswordHasher } from "../auth/password-hasher.ts";
import type { Authenticator } from "../auth/requester.ts";
import { SharedSecret } from "../auth/shared-secret.ts";
import { identityFlows } from "../auth/identity-flows.ts";
import { dummyStage, PasswordStage, RegistrationTokenStage } from "../auth/stages.ts";
import { TermsStage } from "../auth/terms-stage.ts";
import type { Config } from "../config/schema.ts";
import { accountActionPath } from "../http/handlers/account-pages.ts";
import { accountHandlers } from "../http/handlers/account.ts";
import { administrationHandlers } from "../http/handlers/administration.ts";
import { sharedSecretHandlers } from "../http/handlers/admin/shared-secret-registration.ts";
import { contactHandlers } from "../http/handlers/contacts.ts";
import { deviceHandlers } from "../http/handlers/devices.ts";
import { loginFlows } from "../http/handlers/login-flows.ts";
import { loginHandlers } from "../http/handlers/login.ts";
import { registrationHandlers } from "../http/handlers/registration.ts";
import type { BoundEndpoint, PipelineParts } from "../http/pipeline.ts";
import { BucketRateLimiter, unlimited } from "../http/rate-limit.ts";
import { AppserviceAccounts } from "../services/accounts/appservice-accounts.ts";
import { Departures } from "../services/accounts/departures.ts";
import { Login } from "../services/accounts/login.ts";
import { AccountModeration } from "../services/accounts/moderation.ts";
import { PasswordPolicy } from "../services/accounts/new-password.ts";
import { SessionFactory } from "../services/accounts/new-session.ts";
import { OwnAccount } from "../services/accounts/own-account.ts";
import { PasswordReset } from "../services/accounts/password-reset.ts";
import { Registration } from "../services/accounts/registration.ts";
import { Sessions, type SessionsChanged } from "../services/accounts/sessions.ts";
import { Devices } from "../services/devices.ts";
import { LeaveAllRooms } from "../services/rooms/leave-all.ts";
import type { Stores } from "../storage/database.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import type { ContactParts } from "./contacts.ts";
import type { Foundation } from "./foundation.ts";

export interface AccountParts extends Omit<PipelineParts, "servers">, AsyncDisposable {
  readonly logins: Login;
  readonly sessions: Sessions;
  readonly registration: Registration;
  readonly tokenStage: RegistrationTokenStage;
  readonly factory: SessionFactory;
  readonly sessionsChanged: SessionsChanged;
  readonly devices: Devices;
  readonly ownAccount: OwnAccount;
  readonly crossSigningResets: CrossSigningResets;
  readonly handlers: readonly BoundEndpoint[];
}

/** Makes accounts; all that it takes is the database. */
export function composeRegistration(
  config: Config,
  stores: Stores,
  clock: Clock,
  randomBytes: RandomBytes,
  sessionsChanged: SessionsChanged,
  reserved?: AppserviceRegistry,
): {
  hasher: PasswordHasher;
  passwordPolicy: PasswordPolicy;
  factory: SessionFactory;
  registration: Registration;
} {
  const { memory_kib: memoryKib, passes } = config.password_hashing;
  const hasher = new PasswordHasher({ memoryKib, passes }, clock);
  const factory = new SessionFactory(clock, randomBytes);
  const passwordPolicy = new PasswordPolicy(config.passwords);
  const registration = new Registration({
    accounts: stores.accounts,
    hasher,
    passwordPolicy,
    sessions: factory,
    serverName: config.server_name,
    clock,
    randomBytes,
    sessionsChanged,
    reserved,
  });
  return { hasher, passwordPolicy, factory, registration };
}

/** Accounts, their sessions and devices, and what stands before every endpoint: authentication and rate limits. */
export function composeAccounts(
  foundation: Foundation,
  userData: { forgetUser(userNid: number): void },
  contactParts: ContactParts,
): AccountParts {
  const { config, stores, clock, randomBytes, log, notifier, graph } = foundation;
  const { accounts, sessions, devices } = stores;
  const { server_name: serverName, public_base_url: publicBaseUrl, registration: policy } = config;
  const limited = config.rate_limits.enabled;
  const activity = new DeviceActivity(devices, clock, log);
  const tokens = new TokenAuthenticator(sessions, activity, clock);
  const authenticator = withAppservices(foundation, tokens, activity);
  const sessionsChanged = (userNid: number) => {
    tokens.forgetUser(userNid);
    // The account may have ended, and its data with it.
    userData.forgetUser(userNid);
    notifier.wakeUser(userNid);
  };
  const { hasher, passwordPolicy, factory, registration } = composeRegistration(
    config,
    stores,
    clock,
    randomBytes,
    sessionsChanged,
    foundation.appservices.registry,
  );
  const passwords = new PasswordCheck(accounts, hasher, clock, limited);
  const tokenStage = new RegistrationTokenStage(stores.registrationTokens, clock);
  const { contacts, validations } = contactParts;
  const owners = new ContactOwners(stores.contacts, accounts);
  const passwordStage = new PasswordStage(accounts, passwords, owners, serverName);
  const contactStages = (["email", "msisdn"] as const).map((medium) => new ContactStage(medium, validations));
  const termsStage = new TermsStage(policy.terms);
  const interactive = new InteractiveAuth(
    [
      dummyStage,
      passwordStage,
      tokenStage,
      termsStage,
      ...contactStages,
      ...oauthStages(publicBaseUrl + accountActionPath("org.matrix.cross_signing_reset")),
    ],
    clock,
    randomBytes,
    identityFlows(stores, config),
  );
  const logins = new Login({
    accounts,
    sessions,
    factory,
    passwords,
    owners,
    crossSigning: stores.crossSigning,
    serverName,
    clock,
    sessionsChanged,
  });
  const { registry } = foundation.appservices;
  const appserviceAccounts = new AppserviceAccounts({
    registry,
    accounts,
    devices,
    crossSigning: stores.crossSigning,
    sessions: factory,
    logins,
    serverName,
    clock,
    accountMade: (userNid) => userData.forgetUser(userNid),
  });
  const ownSessions = new Sessions(sessions, devices, factory, sessionsChanged, clock, randomBytes);
  const leaver = new LeaveAllRooms(stores.memberships, graph.rooms, graph.writer);
  const departures = new Departures(accounts, leaver, clock, log);
  const ownAccount = new OwnAccount(accounts, hasher, passwordPolicy, contacts, departures, sessionsChanged);
  const reset = new PasswordReset({
    ...contactParts,
    contacts: stores.contacts,
    accounts,
    account: ownAccount,
    deliveries: stores.deliveries,
    clock,
  });
  const ownDevices = new Devices(devices, activity, sessionsChanged);
  const moderation = new AccountModeration(accounts, ownDevices, serverName, sessionsChanged);
  const secret =
    policy.shared_secret === null ? undefined : new SharedSecret(policy.shared_secret, clock, randomBytes);
  const areChangeable = config.contacts.user_changes && contactParts.rules.hasAny;
  const accountContacts = { reset, areChangeable, languageFor: contactParts.languageFor };
  departures.begin();
  return {
    authenticator,
    interactive,
    logins,
    sessions: ownSessions,
    registration,
    tokenStage,
    factory,
    sessionsChanged,
    devices: ownDevices,
    ownAccount,
    crossSigningResets: new CrossSigningResets(clock),
    rateLimiter: limited ? new BucketRateLimiter(clock) : unlimited,
    handlers: [
      ...registrationHandlers({
        registration,
        appserviceAccounts,
        interactive,
        tokenStage,
        authenticator,
        serverName,
        policy,
        passwordPolicy,
        validations,
        contactsAdded: async (userId, added) => {
          const account = added.length === 0 ? undefined : await accounts.find(userId);
          if (account) for (const contact of added) contacts.announce(account, contact);
        },
      }),
      ...sharedSecretHandlers(registration, serverName, secret),
      ...loginHandlers({
        appserviceAccounts,
        logins,
        sessions: ownSessions,
        interactive,
        serverName,
        publicBaseUrl,
        flows: loginFlows(config),
      }),
      ...accountHandlers(
        ownAccount,
        interactive,
        accountContacts,
        config,
        async ({ userNid, deviceId }) =>
          (await stores.oauthSessions.clientOf(userNid, deviceId)) !== undefined,
      ),
      ...contactHandlers(contacts, interactive),
      ...deviceHandlers(ownDevices, interactive, appserviceAccounts),
      ...administrationHandlers(moderation),
    ],
    async [Symbol.asyncDispose]() {
      await departures[Symbol.asyncDispose]();
      await activity[Symbol.asyncDispose]();
    },
  };
}

/** Without application services nobody looks for their tokens. */
function withAppservices(
  { appservices: { registry }, stores: { accounts, devices } }: Foundation,
  users: TokenAuthenticator,
  activity: DeviceActivity,
): Authenticator {
  if (registry.isEmpty) return users;
  return new AppserviceAuthenticator({ appservices: registry, accounts, devices, activity, users });
}
