import { type ConfigPath, pathName, withoutNull } from "../config/validate.ts";
import type { Config, ConfigSchema } from "../config/schema.ts";

/** A key with what the server runs with. */
export interface ReportedKey {
  /** As people write it: `listeners[0].port`. */
  readonly key: string;
  /** `(secret)` in place of a secret. */
  readonly value: unknown;
  readonly isDefault: boolean;
}

/** Something that can be set, and may not be wanted. */
export interface ConfigFinding {
  readonly severity: "warning" | "hint";
  readonly key: string;
  readonly text: string;
}

const secret = "(secret)";
const loopback: readonly string[] = ["127.0.0.1", "::1"];
const defaultHashing = { memoryKib: 19_456, passes: 2 };

/** Every key of the configuration. @param schema what the configuration was checked against */
export function reportedKeys(schema: ConfigSchema, config: unknown, path: ConfigPath = []): ReportedKey[] {
  const type = withoutNull(schema);
  const { properties } = type;
  if (properties && typeof config === "object" && config !== null) {
    return Object.entries(properties).flatMap(([name, property]) =>
      reportedKeys(property, (config as Record<string, unknown>)[name], [...path, name]),
    );
  }
  const isDefault = JSON.stringify(config) === JSON.stringify(schema.default);
  return [{ key: pathName(path), value: withoutSecrets(schema, config), isDefault }];
}

function withoutSecrets(schema: ConfigSchema, value: unknown): unknown {
  const type = withoutNull(schema);
  if (value === null || value === undefined || value === "") return value ?? null;
  if (type.secret === true || schema.secret === true) return secret;
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(type.items ?? {}, entry));
  if (typeof value !== "object" || !type.properties) return value;
  const { properties } = type;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, withoutSecrets(properties[key] ?? {}, entry)]),
  );
}

/** What is right in itself, and yet seldom what an organisation wants. */
export function configFindings(config: Config): ConfigFinding[] {
  const found: ConfigFinding[] = [];
  const warn = (key: string, text: string) => found.push({ severity: "warning", key, text });
  const hint = (key: string, text: string) => found.push({ severity: "hint", key, text });
  if (!config.rate_limits.enabled) warn("rate_limits.enabled", "Nobody who sends too much is slowed down.");
  const { memory_kib: memoryKib, passes } = config.password_hashing;
  if (memoryKib < defaultHashing.memoryKib || passes < defaultHashing.passes) {
    warn(
      "password_hashing",
      "Passwords are hashed with less work than advised: a stolen database is easier to break.",
    );
  }
  if (config.access_tokens.in_query) {
    warn(
      "access_tokens.in_query",
      "Access tokens may stand in addresses, which end up in the logs of proxies.",
    );
  }
  const { mode, email, phone } = config.registration;
  if (mode === "open" && email !== "required" && phone !== "required") {
    warn("registration.mode", "Everybody can make accounts without an address that proves who they are.");
  }
  if (config.registration.shared_secret !== null) {
    hint(
      "registration.shared_secret",
      "Whoever knows it can make administrators: unset it when it is not needed.",
    );
  }
  if (config.server_name === "localhost") {
    hint("server_name", "No other server can reach one of this name, and it can never be changed later.");
  } else if (!config.public_base_url.startsWith("https://")) {
    warn("public_base_url", "Clients are told to talk without encryption.");
  }
  if (["debug", "trace"].includes(config.log.level)) {
    hint("log.level", "It logs much, which costs time and disk.");
  }
  return [...found, ...listenerFindings(config)];
}

function listenerFindings({ listeners }: Config): ConfigFinding[] {
  return listeners.flatMap(({ bind, tls, apis }, index): ConfigFinding[] => {
    if (loopback.includes(bind)) return [];
    const key = `listeners[${index}]`;
    const found: ConfigFinding[] = [];
    if (!tls) {
      const text = "Others can reach it without encryption, unless only a reverse proxy does.";
      found.push({ severity: "hint", key, text });
    }
    if (apis.includes("metrics") && apis.includes("client")) {
      const text = "Everybody who reaches it reads the metrics: give them a listener of their own.";
      found.push({ severity: "warning", key, text });
    }
    return found;
  });
}
