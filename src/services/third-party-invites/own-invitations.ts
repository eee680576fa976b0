import type { Requester } from "../../auth/requester.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room } from "../../state/room-index.ts";
import type { ContactAddress } from "../../storage/contacts.ts";
import type { ThirdPartyInviteStore } from "../../storage/third-party-invites.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { ContactRules } from "../contacts/contact-rules.ts";
import type { SendingLimits } from "../contacts/sending-limits.ts";
import { namesForMail, redactedAddress } from "./invite-description.ts";
import type { InviteKeys } from "./invite-keys.ts";

export interface OwnInvitationsParts {
  readonly store: ThirdPartyInviteStore;
  readonly keys: InviteKeys;
  readonly state: CurrentState;
  readonly writer: RoomWriter;
  readonly rules: ContactRules;
  readonly limits: SendingLimits;
  readonly language: string;
  /** Where others can ask whether a key is good. */
  readonly keyValidityUrl: string;
  /** Called when a message has been put into the queue. */
  readonly queued: () => void;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
}

const tokenBytes = 24;
const messageLifetimeMs = 3 * 24 * 60 * 60 * 1000;

/**
 * Invitations by e-mail without an identity server: this server is the one that knows when somebody has proved an address,
 * so it can vouch for that itself, with a key of its own in the room's `m.room.third_party_invite`. To every other server
 * it is what an identity server's invitation is.
 */
export class OwnInvitations {
  readonly #parts: OwnInvitationsParts;

  constructor(parts: OwnInvitationsParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_FORBIDDEN, M_THREEPID_DENIED, M_LIMIT_EXCEEDED */
  async leave(inviter: Requester, room: Room, contact: ContactAddress): Promise<void> {
    const { keys, rules, limits, writer, randomBytes, keyValidityUrl } = this.#parts;
    rules.checkMedium(contact.medium);
    rules.checkAllowed(contact);
    limits.take(contact, inviter.userId);
    const token = randomBytes(tokenBytes).toString("base64url");
    const publicKey = keys.publicKey(token);
    // The room's rules are asked first: nobody is written to for an invitation that there cannot be.
    await writer.sendOne(room, {
      type: "m.room.third_party_invite",
      stateKey: token,
      sender: inviter.userId,
      content: {
        display_name: redactedAddress(contact.address),
        key_validity_url: keyValidityUrl,
        public_key: publicKey,
        public_keys: [{ public_key: publicKey, key_validity_url: keyValidityUrl }],
      },
    });
    await this.#store(inviter, room, contact, token, publicKey);
  }

  /** Whether a key is that of an invitation that waits. */
  isKeyValid(publicKey: string): Promise<boolean> {
    return this.#parts.store.hasKey(publicKey);
  }

  async #store(
    inviter: Requester,
    room: Room,
    contact: ContactAddress,
    token: string,
    publicKey: string,
  ): Promise<void> {
    const { store, state, writer, clock, language, queued } = this.#parts;
    const nowTs = clock.nowMs();
    const invite = { ...contact, token, publicKey, createdTs: nowTs };
    const values = await namesForMail(state, room, inviter.userId);
    const expiresTs = nowTs + messageLifetimeMs;
    const message = { ...contact, kind: "room-invitation", language, values, expiresTs } as const;
    const nids = { roomNid: room.roomNid, inviterNid: inviter.userNid };
    if (await store.add({ ...invite, ...nids }, message, nowTs)) {
      queued();
      return;
    }
    // An invitation that nobody can take is withdrawn.
    await writer.sendOne(room, {
      type: "m.room.third_party_invite",
      stateKey: token,
      sender: inviter.userId,
      content: {},
    });
    throw new MatrixError("M_LIMIT_EXCEEDED", "Too many invitations by e-mail wait for an answer", {
      retry_after_ms: 60_000,
    });
  }
}
