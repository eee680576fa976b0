import type { MemoryStream, PositionStore } from "../../positions.ts";
import { type StoreOperations, write } from "../engine/operations.ts";

export const positionOperations: StoreOperations<PositionStore> = {
  take: write((tx, stream: MemoryStream, nid: number) => {
    tx.position(stream, nid);
  }),
  pass: write(() => undefined),
};
