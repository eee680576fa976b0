import {
  deleteProfileField,
  getProfileField,
  getUserProfile,
  setProfileField,
} from "../../api/client/profile.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { Requester } from "../../auth/requester.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { ProfileEditing } from "../../services/profiles/profile-editing.ts";
import type { Profiles } from "../../services/profiles/profiles.ts";
import { oversizedStatus } from "../../services/profiles/user-status.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks, Reply } from "../reply.ts";
import { ownUser, userIdFrom } from "./path-parameters.ts";

/** Client-server API, "Profiles". */
export function profileHandlers(profiles: Profiles, editing: ProfileEditing): BoundEndpoint[] {
  return [
    handler(getUserProfile, async ({ params }) => {
      const profile = await profiles.find(userIdFrom(params.userId));
      return new JsonChunks([profile.json]);
    }),
    handler(getProfileField, async ({ params }) => {
      const profile = await profiles.find(userIdFrom(params.userId));
      const field = profile.field(params.keyName);
      if (field === undefined) throw new MatrixError("M_NOT_FOUND", "This profile does not have this field");
      return new JsonChunks([field]);
    }),
    handler(setProfileField, async ({ params, body, requester }) => {
      const { userNid } = editor(requester, params);
      const value = Object.hasOwn(body, params.keyName) ? body[params.keyName] : undefined;
      if (value === undefined) {
        throw new MatrixError("M_MISSING_PARAM", `The request body lacks ${params.keyName.slice(0, 255)}`);
      }
      const oversized = oversizedStatus(params.keyName, value);
      // "With status code 400 and errcode M_TOO_LARGE."
      if (oversized !== undefined) return new Reply(400, { errcode: "M_TOO_LARGE", error: oversized });
      await editing.put(userNid, params.keyName, value);
      return {};
    }),
    handler(deleteProfileField, async ({ params, requester }) => {
      const { userNid } = editor(requester, params);
      await editing.remove(userNid, params.keyName);
      return {};
    }),
  ];
}

/** "Guest users may only modify their display name; other profile fields may not be changed." */
function editor(requester: Requester, { userId, keyName }: { userId: string; keyName: string }): Requester {
  const user = ownUser(requester, userId);
  refuseSuspended(user);
  if (!user.isGuest || keyName === "displayname") return user;
  throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", "Guests may change nothing but their display name");
}
