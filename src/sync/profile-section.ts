import type { PossibleChanges } from "./possible-changes.ts";
import type { ProfileStream, ProfileUpdates } from "./streams/profiles.ts";
import type { SyncRound } from "./sync-request.ts";

/** What the profiles that an answer brings go by. */
export interface ProfileScope {
  readonly changes: PossibleChanges;
  /** The rooms that the user is joined to at the round's position … */
  readonly joined: ReadonlySet<number>;
  /** … and which of them the client does not know yet. */
  readonly newlyJoined: ReadonlySet<number>;
  /** IDs of users who share no room with the user any more. */
  readonly left: readonly string[];
}

/** `org.matrix.msc4429.users` of /sync: the fields of profiles that a client's filter names (MSC4429). */
export class ProfileSections {
  readonly #profiles: ProfileStream;

  constructor(profiles: ProfileStream) {
    this.#profiles = profiles;
  }

  /** @returns a JSON object; `undefined` when there is no news */
  async read(round: SyncRound, scope: ProfileScope): Promise<string | undefined> {
    const names = round.request.filter.profileFields;
    if (names.length === 0) return undefined;
    const updates: ProfileUpdates = new Map();
    await this.#addUpdates(updates, round, scope, names);
    const gone = scope.left.filter((userId) => !updates.has(userId));
    if (updates.size === 0 && gone.length === 0) return undefined;
    const members = [
      ...[...updates].map(([userId, fields]) => userText(userId, fieldsText(fields))),
      ...gone.map((userId) => userText(userId, "null")),
    ];
    return `{${members.join(",")}}`;
  }

  async #addUpdates(
    updates: ProfileUpdates,
    { request: { since, device }, upTo }: SyncRound,
    { changes, joined, newlyJoined }: ProfileScope,
    names: readonly string[],
  ): Promise<void> {
    const { userNid } = device;
    // "A request with no since token MUST have all current profile field values sent."
    if (!since) return this.#profiles.addMembers(updates, [...joined], 0, [userNid], names);
    const { position } = since;
    await this.#profiles.addMembers(updates, [...newlyJoined], 0, [], names);
    if (changes.memberMoves) await this.#profiles.addMembers(updates, [...joined], position, [], names);
    if (!changes.has("profiles")) return;
    await this.#profiles.addChanges(updates, userNid, { since: position, upTo }, names);
  }
}

function userText(userId: string, updates: string): string {
  return `${JSON.stringify(userId)}:{"profile_updates":${updates}}`;
}

/** "If its value is null, the field is treated as having been removed." */
function fieldsText(fields: ReadonlyMap<string, string | null>): string {
  return `{${[...fields].map(([name, value]) => `${JSON.stringify(name)}:${value ?? "null"}`).join(",")}}`;
}
