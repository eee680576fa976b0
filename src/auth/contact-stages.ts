import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { ContactMedium } from "../storage/contacts.ts";
import type { Proof, Stage, StageFailure } from "./interactive.ts";

/** What a client says of a validation session. */
export interface SessionCredentials {
  readonly sid: string;
  readonly clientSecret: string;
}

/** What the stages need of validation sessions. */
export interface ProvenContacts {
  isProven(credentials: SessionCredentials): Promise<boolean>;
}

export const contactStageTypes = {
  email: "m.login.email.identity",
  msisdn: "m.login.msisdn",
} as const satisfies Record<ContactMedium, string>;

/**
 * Client-server API, "Email-based" and "Phone number/MSISDN-based": an address was proved to this server. What it was proved
 * for is looked at when the proof is used up.
 */
export class ContactStage implements Stage {
  readonly type: string;
  readonly isAwaited = true;
  readonly #contacts: ProvenContacts;

  constructor(medium: ContactMedium, contacts: ProvenContacts) {
    this.type = contactStageTypes[medium];
    this.#contacts = contacts;
  }

  async attempt(auth: JsonObject): Promise<StageFailure | undefined> {
    const credentials = credentialsIn(auth);
    if (!credentials) {
      return { errcode: "M_MISSING_PARAM", error: "auth.threepid_creds needs sid and client_secret" };
    }
    if (await this.#contacts.isProven(credentials)) return undefined;
    return { errcode: "M_UNAUTHORIZED", error: "The address has not been confirmed yet" };
  }
}

/** The sessions by which somebody has proved addresses, by their kinds. */
export function provenSessions(proof: Proof): SessionCredentials[] {
  return Object.values(contactStageTypes).flatMap((type) => {
    const auth = proof.get(type);
    const credentials = auth && credentialsIn(auth);
    return credentials ? [credentials] : [];
  });
}

function credentialsIn(auth: JsonObject): SessionCredentials | undefined {
  // The second name is that of clients from before release r0.6.
  const given = auth["threepid_creds"] ?? auth["threepidCreds"];
  if (!isJsonObject(given)) return undefined;
  const { sid, client_secret: clientSecret } = given;
  return typeof sid === "string" && typeof clientSecret === "string" ? { sid, clientSecret } : undefined;
}
