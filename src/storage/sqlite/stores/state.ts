import type { StateStore } from "../../state.ts";
import { point, scan, type StoreOperations } from "../engine/operations.ts";
import { readSnapshot } from "./forked-snapshots.ts";
import { resolve } from "./state-resolution.ts";

export const stateOperations: StoreOperations<StateStore> = {
  snapshot: point(readSnapshot),
  resolve: scan(resolve),
};
