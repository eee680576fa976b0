import type { DescribedRoom } from "./described-room.ts";

/** What somebody looks for in a directory of rooms (client-server API, "Published room directory"). */
export interface DirectoryRequest {
  /** The server whose directory is asked for; this one when absent. */
  readonly server?: string | undefined;
  readonly limit?: number | undefined;
  readonly since?: string | undefined;
  readonly searchTerm?: string | undefined;
  readonly roomTypes?: readonly (string | null)[] | undefined;
  /** The instance of a third-party protocol whose rooms are asked for, as `/thirdparty/protocols` names it. */
  readonly instanceId?: string | undefined;
  readonly includeAllNetworks?: boolean | undefined;
}

export interface DirectoryPage<Room extends DescribedRoom = DescribedRoom> {
  readonly rooms: readonly Room[];
  readonly next: string | undefined;
  readonly previous: string | undefined;
  /** On all pages together, as far as is known. */
  readonly total: number | undefined;
}
