import type { UserId } from "../../protocol/identifiers.ts";
import type { Profile } from "./profile.ts";

/** Looks up the profiles of users of other servers. */
export interface RemoteProfiles {
  /**
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN as the user's server says; M_BAD_STATUS, M_CONNECTION_FAILED when it says
   *   nothing of use
   */
  find(userId: UserId): Promise<Profile>;
}
