import {
  deleteAccountData,
  deleteAccountDataPerRoom,
  deleteRoomTag,
  getAccountData,
  getAccountDataPerRoom,
  getRoomTags,
  setAccountData,
  setAccountDataPerRoom,
  setRoomTag,
} from "../../api/client/account-data.ts";
import { type AccountDataService, isServerManaged } from "../../services/account-data.ts";
import { globalScope } from "../../storage/account-data.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks, Reply } from "../reply.ts";
import { ownUser, roomIdFrom } from "./path-parameters.ts";

/** Client-server API, "Client Config" and "Room Tagging". */
export function accountDataHandlers(accountData: AccountDataService): BoundEndpoint[] {
  return [
    handler(setAccountData, async ({ params, body, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      if (isServerManaged(params.type)) return notForClients(params.type);
      await accountData.put(userNid, globalScope, params.type, body);
      return {};
    }),
    handler(getAccountData, async ({ params, requester }) => {
      const user = ownUser(requester, params.userId);
      return new JsonChunks([await accountData.find(user, globalScope, params.type)]);
    }),
    handler(setAccountDataPerRoom, async ({ params, body, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      const roomId = roomIdFrom(params.roomId);
      if (isServerManaged(params.type)) return notForClients(params.type);
      await accountData.put(userNid, roomId, params.type, body);
      return {};
    }),
    handler(getAccountDataPerRoom, async ({ params, requester }) => {
      const user = ownUser(requester, params.userId);
      return new JsonChunks([await accountData.find(user, roomIdFrom(params.roomId), params.type)]);
    }),
    ...deletionHandlers(accountData),
    ...tagHandlers(accountData),
  ];
}

/** MSC3391: "These endpoints always return 200 OK", whether there was anything to delete or not. */
function deletionHandlers(accountData: AccountDataService): BoundEndpoint[] {
  return [
    handler(deleteAccountData, async ({ params, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      if (isServerManaged(params.type)) return notForClients(params.type);
      await accountData.remove(userNid, globalScope, params.type);
      return {};
    }),
    handler(deleteAccountDataPerRoom, async ({ params, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      const roomId = roomIdFrom(params.roomId);
      if (isServerManaged(params.type)) return notForClients(params.type);
      await accountData.remove(userNid, roomId, params.type);
      return {};
    }),
  ];
}

function tagHandlers(accountData: AccountDataService): BoundEndpoint[] {
  return [
    handler(getRoomTags, async ({ params, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      return { tags: await accountData.tags(userNid, roomIdFrom(params.roomId)) };
    }),
    handler(setRoomTag, async ({ params, body, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      await accountData.putTag(userNid, roomIdFrom(params.roomId), params.tag, body);
      return {};
    }),
    handler(deleteRoomTag, async ({ params, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      await accountData.removeTag(userNid, roomIdFrom(params.roomId), params.tag);
      return {};
    }),
  ];
}

/** "Servers MUST reject setting account data for event types that the server manages by using a 405 error response." */
function notForClients(type: string): Reply {
  const error = `${type} cannot be set as account data: it has endpoints of its own`;
  return new Reply(405, { errcode: "M_BAD_JSON", error });
}
