import type { JsonObject } from "../../protocol/json.ts";

/** What a user's member events say of them: `displayname` and `avatar_url`, as far as they are set. */
export interface MemberProfiles {
  memberContent(userNid: number): Promise<JsonObject>;
}
