import { contactStageTypes, provenSessions } from "../../auth/contact-stages.ts";
import type { Flows, Proof } from "../../auth/interactive.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { ContactAddress, ContactMedium, ContactStore } from "../../storage/contacts.ts";
import type { DeliveryStore } from "../../storage/deliveries.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { ContactRules } from "../contacts/contact-rules.ts";
import type { ContactValidations } from "../contacts/contact-validations.ts";
import type { OwnAccount } from "./own-account.ts";

export interface PasswordResetParts {
  readonly validations: ContactValidations;
  readonly rules: ContactRules;
  readonly contacts: Pick<ContactStore, "ownerOf">;
  readonly accounts: Pick<AccountStore, "findByNid">;
  readonly account: OwnAccount;
  readonly deliveries: DeliveryStore;
  /** Called when a message has been put into the queue. */
  readonly queued: () => void;
  readonly clock: Clock;
}

const noticeLifetimeMs = 3 * 24 * 60 * 60 * 1000;

/** New passwords for those who have forgotten theirs: who proves an address of the account is its owner. */
export class PasswordReset {
  readonly #parts: PasswordResetParts;

  constructor(parts: PasswordResetParts) {
    this.#parts = parts;
  }

  /** How an account's owner is known without being signed in. @throws MatrixError M_MISSING_TOKEN when there is no way */
  flows(): Flows {
    const media = Object.entries(contactStageTypes) as [ContactMedium, string][];
    const flows = media.filter(([medium]) => this.#parts.rules.supports(medium)).map(([, type]) => [type]);
    if (flows.length > 0) return flows;
    throw new MatrixError(
      "M_MISSING_TOKEN",
      "This endpoint needs an access token in the Authorization header",
    );
  }

  /**
   * @param proof what was done for one of the flows
   * @param logOutDevices whether all devices are removed
   * @param language of the message that tells the owner
   * @throws MatrixError M_THREEPID_AUTH_FAILED, M_THREEPID_NOT_FOUND, M_FORBIDDEN, M_WEAK_PASSWORD
   */
  async reset(proof: Proof, password: string, logOutDevices: boolean, language: string): Promise<void> {
    const { validations, contacts, accounts, account } = this.#parts;
    const [session] = provenSessions(proof);
    if (!session) throw new MatrixError("M_THREEPID_AUTH_FAILED", "No address has been proved");
    const contact = await validations.require(session, "password");
    const userNid = await contacts.ownerOf(contact);
    const owner = userNid === undefined ? undefined : await accounts.findByNid(userNid);
    if (!owner) throw new MatrixError("M_THREEPID_NOT_FOUND", "No account has this address any more");
    if (owner.passwordHash === null) {
      throw new MatrixError("M_FORBIDDEN", "This account has no password: its owner signs in elsewhere");
    }
    await account.changePassword(owner.userNid, password, logOutDevices, null);
    await validations.end(session);
    await this.#tell(contact, language);
  }

  /** The owner hears of it even when it was somebody else who reads their mail. */
  async #tell({ medium, address }: ContactAddress, language: string): Promise<void> {
    const { deliveries, clock, queued } = this.#parts;
    const expiresTs = clock.nowMs() + noticeLifetimeMs;
    const message = { medium, address, kind: "password-changed", language, values: {}, expiresTs } as const;
    if (await deliveries.add(message, clock.nowMs())) queued();
  }
}
