import { join } from "node:path";
import type { Config } from "../config/schema.ts";

/** Where the blobs of media are. */
export function mediaFolderOf({ data_dir: dataFolder }: Pick<Config, "data_dir">): string {
  return join(dataFolder, "media");
}
