import { existsSync, readdirSync, readlinkSync, realpathSync } from "node:fs";

/** Files below a folder that this process has open; on Linux. */
export function openFilesIn(folder: string): string[] {
  const root = realpathSync(folder);
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    const link = `/proc/self/fd/${fd}`;
    // That of the listing itself has gone by now.
    const target = existsSync(link) ? readlinkSync(link) : "";
    return target.startsWith(root) ? [target] : [];
  });
}
