import type { OperationTable } from "../engine/operations.ts";
import { nameOperations } from "./names.ts";

/** Every store's operations by the store's name; each worker looks them up here. */
export const operationTable = {
  names: nameOperations,
} satisfies Record<string, object> as OperationTable;
