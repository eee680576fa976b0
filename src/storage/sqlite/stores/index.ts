import type { Stores } from "../../database.ts";
import type { OperationTable, StoreOperations } from "../engine/operations.ts";
import { nameOperations } from "./names.ts";

/** The operations of every store. */
export const stores: { readonly [Name in keyof Stores]: StoreOperations<Stores[Name]> } = {
  names: nameOperations,
};

/** The same, as the workers look them up. */
export const operationTable = stores as unknown as OperationTable;
