import { serverNoticeHandlers } from "../http/handlers/admin/server-notices.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { NoticeRooms } from "../services/server-notices/notice-rooms.ts";
import { noticeUser } from "../services/server-notices/notice-user.ts";
import { ServerNotices } from "../services/server-notices/server-notices.ts";
import type { ProfileStore } from "../storage/profiles.ts";
import type { Foundation } from "./foundation.ts";
import type { RoomParts } from "./rooms.ts";
import type { UserDataParts } from "./user-data.ts";

/**
 * Notices of the server to its users.
 * @throws StartupError when the name of the user who sends them is somebody's
 */
export async function composeServerNotices(
  foundation: Foundation,
  { creation, membership, state }: RoomParts,
  { accountData, profiles }: UserDataParts,
): Promise<readonly BoundEndpoint[]> {
  const { config, stores, graph, clock, auditLog } = foundation;
  const { localpart, display_name: displayName, avatar_url: avatarUrl } = config.server_notices;
  if (localpart === null) return serverNoticeHandlers(undefined, auditLog);
  const { accounts } = stores;
  const { writer, rooms } = graph;
  const serverName = config.server_name;
  const sender = await noticeUser(accounts, localpart, serverName, clock);
  await setProfile(stores.profiles, sender.userNid, { displayname: displayName, avatar_url: avatarUrl });
  profiles.forget(sender.userNid);
  const noticeRooms = new NoticeRooms({
    config: config.server_notices,
    sender,
    store: stores.serverNotices,
    rooms,
    creation,
    writer,
    membership,
    state,
    profiles,
    accountData,
  });
  return serverNoticeHandlers(
    new ServerNotices({ accounts, rooms: noticeRooms, writer, sender, serverName }),
    auditLog,
  );
}

const maxProfileBytes = 65_536;

/** The profile is what the configuration says, whatever it was before. */
async function setProfile(
  store: ProfileStore,
  userNid: number,
  fields: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) await store.remove(userNid, name);
    else await store.put(userNid, { name, value: JSON.stringify(value) }, maxProfileBytes);
  }
}
