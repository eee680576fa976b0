import { readFileSync } from "node:fs";
import { pathsOf } from "../../api/endpoint.ts";
import { getLogo } from "../../api/pages/branding.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";

export const [logoPath = ""] = pathsOf(getLogo);

/** The logo on the pages. It is read at the start, since it is small and many ask for it. */
export function brandingHandlers(logoFile: string | null): BoundEndpoint[] {
  if (logoFile === null) return [];
  const bytes = readFileSync(logoFile);
  const headers = {
    "Content-Type": pictureType(bytes),
    "Cache-Control": "public, max-age=3600",
    // A picture in SVG could hold scripts, should somebody open it as a page.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
  };
  return [handler(getLogo, async () => new Reply(200, bytes, headers))];
}

function pictureType(bytes: Buffer): string {
  if (bytes.subarray(1, 4).toString("latin1") === "PNG") return "image/png";
  if (bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8]))) return "image/jpeg";
  if (bytes.subarray(8, 12).toString("latin1") === "WEBP") return "image/webp";
  return "image/svg+xml";
}
