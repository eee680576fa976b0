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
  readonly moderation: AccountModeration;
  readonly crossSigningResets: CrossSigningResets;
  readonly handlers: readonly BoundEndpoint[];
}

interface MadeAccounts {
  readonly hasher: PasswordHasher;
  readonly passwordPolicy: PasswordPolicy;
  readonly factory: SessionFactory;
  readonly registration: Registration;
}

interface SignInParts {
  readonly passwords: PasswordCheck;
  readonly owners: ContactOwners;
  readonly logins: Login;
  readonly appserviceAccounts: AppserviceAccounts;
  readonly sessions: Sessions;
}

interface Interaction {
  readonly interactive: InteractiveAuth;
  readonly tokenStage: RegistrationTokenStage;
}

/** Makes accounts; all that it takes is the database. */
export function composeRegistration(
  config: Config,
  stores: Stores,
  clock: Clock,
  randomBytes: RandomBytes,
  sessionsChanged: SessionsChanged,
  reserved?: AppserviceRegistry,
): MadeAccounts {
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
  const { config, stores, clock, randomBytes } = foundation;
  const { activity, authenticator, sessionsChanged } = composeAuthentication(foundation, userData);
  const { registry } = foundation.appservices;
  const made = composeRegistration(config, stores, clock, randomBytes, sessionsChanged, registry);
  const { factory, registration } = made;
  const signIn = composeLogins(foundation, made, sessionsChanged, userData);
  const { logins, sessions, appserviceAccounts } = signIn;
  const interaction = composeInteraction(foundation, signIn, contactParts);
  const { interactive, tokenStage } = interaction;
  const own = composeOwnAccounts(foundation, made, contactParts, sessionsChanged);
  const { ownAccount, departures } = own;
  const devices = new Devices(stores.devices, activity, sessionsChanged);
  const moderation = new AccountModeration(stores.accounts, devices, config.server_name, sessionsChanged);
  departures.begin();
  return {
    authenticator,
    interactive,
    logins,
    sessions,
    registration,
    tokenStage,
    factory,
    sessionsChanged,
    devices,
    ownAccount,
    moderation,
    crossSigningResets: new CrossSigningResets(clock),
    rateLimiter: config.rate_limits.enabled ? new BucketRateLimiter(clock) : unlimited,
    handlers: [
      ...signInHandlers(foundation, { authenticator, ...made, ...signIn, ...interaction }, contactParts),
      ...accountHandlers(
        ownAccount,
        interactive,
        own.contacts,
        config,
        async ({ userNid, deviceId }) =>
          (await stores.oauthSessions.clientOf(userNid, deviceId)) !== undefined,
      ),
      ...contactHandlers(contactParts.contacts, interactive),
      ...deviceHandlers(devices, interactive, appserviceAccounts),
      ...administrationHandlers(moderation, foundation.auditLog),
    ],
    async [Symbol.asyncDispose]() {
      await departures[Symbol.asyncDispose]();
      await activity[Symbol.asyncDispose]();
    },
  };
}

/** Whose token a request has. */
function composeAuthentication(
  foundation: Foundation,
  userData: { forgetUser(userNid: number): void },
): { activity: DeviceActivity; authenticator: Authenticator; sessionsChanged: SessionsChanged } {
  const { stores, clock, log, notifier } = foundation;
  const activity = new DeviceActivity(stores.devices, clock, log);
  const tokens = new TokenAuthenticator(stores.sessions, activity, clock);
  return {
    activity,
    authenticator: withAppservices(foundation, tokens, activity),
    sessionsChanged(userNid) {
      tokens.forgetUser(userNid);
      // The account may have ended, and its data with it.
      userData.forgetUser(userNid);
      notifier.wakeUser(userNid);
    },
  };
}

/** How accounts, and those of application services, come by sessions. */
function composeLogins(
  { config, stores, clock, randomBytes, appservices: { registry } }: Foundation,
  { factory, hasher }: MadeAccounts,
  sessionsChanged: SessionsChanged,
  userData: { forgetUser(userNid: number): void },
): SignInParts {
  const { accounts, sessions, devices, crossSigning } = stores;
  const { server_name: serverName } = config;
  const passwords = new PasswordCheck(accounts, hasher, clock, config.rate_limits.enabled);
  const owners = new ContactOwners(stores.contacts, accounts);
  const logins = new Login({
    accounts,
    sessions,
    factory,
    passwords,
    owners,
    crossSigning,
    serverName,
    clock,
    sessionsChanged,
  });
  const appserviceAccounts = new AppserviceAccounts({
    registry,
    accounts,
    devices,
    crossSigning,
    sessions: factory,
    logins,
    serverName,
    clock,
    accountMade: (userNid) => userData.forgetUser(userNid),
  });
  return {
    passwords,
    owners,
    logins,
    appserviceAccounts,
    sessions: new Sessions(sessions, devices, factory, sessionsChanged, clock, randomBytes),
  };
}

/** User-interactive authentication with all of its stages. */
function composeInteraction(
  { config, stores, clock, randomBytes }: Foundation,
  { passwords, owners }: SignInParts,
  { validations }: ContactParts,
): Interaction {
  const tokenStage = new RegistrationTokenStage(stores.registrationTokens, clock);
  const resetUrl = config.public_base_url + accountActionPath("org.matrix.cross_signing_reset");
  const stages = [
    dummyStage,
    new PasswordStage(stores.accounts, passwords, owners, config.server_name),
    tokenStage,
    new TermsStage(config.registration.terms),
    ...(["email", "msisdn"] as const).map((medium) => new ContactStage(medium, validations)),
    ...oauthStages(resetUrl),
  ];
  return {
    tokenStage,
    interactive: new InteractiveAuth(stages, clock, randomBytes, identityFlows(stores, config)),
  };
}

/** What users do with their accounts: passwords, contacts, the end. */
function composeOwnAccounts(
  { config, stores, clock, log, graph }: Foundation,
  { hasher, passwordPolicy }: MadeAccounts,
  contactParts: ContactParts,
  sessionsChanged: SessionsChanged,
) {
  const { accounts } = stores;
  const { contacts, rules, languageFor } = contactParts;
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
  const areChangeable = config.contacts.user_changes && rules.hasAny;
  return { departures, ownAccount, contacts: { reset, areChangeable, languageFor } };
}

/** What is asked for by those who have no session yet. */
function signInHandlers(
  { config, stores: { accounts }, clock, randomBytes, auditLog }: Foundation,
  parts: MadeAccounts & SignInParts & Interaction & Pick<AccountParts, "authenticator">,
  { contacts, validations }: ContactParts,
): readonly BoundEndpoint[] {
  const { server_name: serverName, public_base_url: publicBaseUrl, registration: policy } = config;
  const secret =
    policy.shared_secret === null ? undefined : new SharedSecret(policy.shared_secret, clock, randomBytes);
  return [
    ...registrationHandlers({
      ...parts,
      serverName,
      policy,
      validations,
      contactsAdded: async (userId, added) => {
        const account = added.length === 0 ? undefined : await accounts.find(userId);
        if (account) for (const contact of added) contacts.announce(account, contact);
      },
    }),
    ...sharedSecretHandlers(parts.registration, serverName, secret, auditLog),
    ...loginHandlers({ ...parts, serverName, publicBaseUrl, flows: loginFlows(config) }),
  ];
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
