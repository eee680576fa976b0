import type { SyncDevice } from "../sync-request.ts";

/** Rooms and positions that an ephemeral stream is asked for. */
export interface EphemeralQuery {
  readonly device: SyncDevice;
  readonly roomNids: readonly number[];
  /** `undefined` asks for everything that is of interest now. */
  readonly since: number | undefined;
  readonly upTo: number;
}

/** One kind of ephemeral event in rooms: receipts, typing notifications (client-server API, `ephemeral` of /sync). */
export interface EphemeralStream {
  /** The stream that its changes take positions in. */
  readonly stream: "receipts" | "typing";
  readonly eventType: "m.receipt" | "m.typing";
  /** One event a room, as JSON. Rooms in which nothing has changed are left out. */
  events(query: EphemeralQuery): Promise<ReadonlyMap<number, string>>;
}
