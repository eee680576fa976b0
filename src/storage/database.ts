import type { NameStore } from "./names.ts";

/** Every store of a back end, by owner. */
export interface Stores {
  readonly names: NameStore;
}

/** An open database. `sqlite/` implements it; what another back end has to do is in `contract/`. */
export interface Database extends AsyncDisposable {
  readonly stores: Stores;
  /** Writes that wait for the next commit. */
  readonly waitingWrites: number;
}
