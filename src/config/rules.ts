import { isIP } from "node:net";
import { parseEmailAddress } from "../protocol/email-address.ts";
import { isOpaqueIdentifier, isUserId, type ServerName } from "../protocol/identifiers.ts";
import { parseServerName } from "../protocol/server-name.ts";
import { isTemplate } from "../sso/claims.ts";
import { momentOf } from "../telemetry/clock.ts";
import type { ConfigSchema } from "./schema.ts";

type Rule = NonNullable<ConfigSchema["rule"]>;

/** For each rule of the schema: what a value has to be, as the end of "KEY has to be …", and the check of it. */
export const rules: Readonly<Record<Rule, { expected: string; accepts: (value: string) => boolean }>> = {
  "turn-uri": {
    expected: "a turn: or turns: URI, such as turn:turn.example.org:3478?transport=udp",
    accepts: (value) => /^turns?:[^\s/]+$/.test(value),
  },
  "user-id": {
    expected: "a Matrix user, such as @admin:example.org",
    accepts: isUserId,
  },
  "ed25519-key": {
    expected: "an Ed25519 public key in unpadded Base64: 43 characters",
    accepts: (value) => /^[A-Za-z0-9+/]{43}$/.test(value),
  },
  "server-name": {
    expected: "a host name or IP address with an optional port, such as example.org or example.org:8448",
    accepts: isOwnServerName,
  },
  "base-url": {
    expected: "an http:// or https:// address without query and fragment, such as https://matrix.example.org",
    accepts: isBaseUrl,
  },
  "address-range": {
    expected: "an IP address or a range of them, such as 192.0.2.1 or 10.0.0.0/8",
    accepts: isAddressRange,
  },
  "bind-address": {
    expected: "an IP address, such as 127.0.0.1 or ::, or localhost",
    accepts: (value) => value === "localhost" || isIP(value) !== 0,
  },
  "all-none-or-time": {
    expected: "all, none, or a time such as 2026-01-31T00:00:00Z",
    accepts: (value) => value === "all" || value === "none" || momentOf(value) !== undefined,
  },
  "url-pattern": {
    expected: "a host, or a host and a path, such as *.example.org or example.org/private/*",
    accepts: (value) => /^[^/\s:]+(:\d{1,5})?(\/\S*)?$/.test(value),
  },
  mailbox: {
    expected: "an e-mail address, with a name or without, such as Example Chat <chat@example.org>",
    accepts: isMailbox,
  },
  "opaque-id": {
    expected: "a word of letters, digits and ._~-",
    accepts: isOpaqueIdentifier,
  },
  language: {
    expected: "the code of a language, such as en or zh-Hans",
    accepts: (value) => /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(value),
  },
  "web-address": {
    expected: "an http:// or https:// address, such as https://example.org/terms.html",
    accepts: (value) => ["http:", "https:"].includes(URL.parse(value)?.protocol ?? ""),
  },
  "provider-id": {
    expected: "up to 100 letters, digits and the characters . _ - ~, such as corporate",
    accepts: (value) => /^[A-Za-z0-9._~-]{1,100}$/.test(value),
  },
  "claim-template": {
    expected:
      "a text with claims in braces, such as {sub} or {email|localpart}; the filters are localpart and lowercase",
    accepts: (value) => value.trim() !== "" && isTemplate(value),
  },
  colour: {
    expected: "a colour in six hexadecimal digits, such as #1f5fbf",
    accepts: (value) => /^#[0-9a-fA-F]{6}$/.test(value),
  },
};

/** Specification, appendices, "Server Name"; and since it is this server's own, its port is one that can be. */
export function isOwnServerName(value: string): value is ServerName {
  const parts = parseServerName(value);
  return parts !== undefined && (parts.port ?? 0) <= 65_535;
}

function isBaseUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || !["http:", "https:"].includes(url.protocol)) return false;
  return url.username === "" && url.password === "" && !/[?#]/.test(value);
}

function isMailbox(value: string): boolean {
  const parts = /^[^<>"\r\n]*<([^<>]+)>$/.exec(value);
  return parseEmailAddress(parts?.[1] ?? value) !== undefined;
}

function isAddressRange(value: string): boolean {
  const [address = "", prefix, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
