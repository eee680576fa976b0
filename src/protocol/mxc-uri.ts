import type { ServerName } from "./identifiers.ts";
import { isServerName } from "./server-name.ts";

/** What an `mxc://` URI names: a file of a server's content repository. */
export interface MxcUri {
  readonly serverName: ServerName;
  readonly mediaId: string;
}

/**
 * Whether text can be a media ID: "only alphanumeric, `_` and `-` characters" (client-server API, "Content
 * repository"), at most 255 of them.
 */
export function isMediaId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,255}$/.test(text);
}

/** Reads `mxc://<server-name>/<media-id>`; `undefined` for any other text. */
export function parseMxcUri(text: string): MxcUri | undefined {
  const [, serverName = "", mediaId = ""] = /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (!isServerName(serverName) || !isMediaId(mediaId)) return undefined;
  return { serverName, mediaId };
}

export function mxcUri({ serverName, mediaId }: MxcUri): string {
  return `mxc://${serverName}/${mediaId}`;
}
