import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../config/config-error.ts";
import { type YamlFile, readYamlFile } from "../config/yaml-file.ts";
import { makeUserId, type ServerName } from "../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol/json.ts";
import { Pattern } from "./pattern/pattern.ts";
import { PatternError } from "./pattern/syntax.ts";
import { Appservice, type Namespace, type Registration } from "./registration.ts";

const maxNamespaces = 1_000;
const maxProtocols = 100;
const maxIdLength = 255;
/** What fits into a header as it is. */
const tokenGrammar = /^[\x21-\x7e]{1,1000}$/;
const ephemeralKeys = {
  receive_ephemeral: "ephemeral",
  "de.sorunome.msc2409.push_ephemeral": "de.sorunome.msc2409.ephemeral",
} as const;

/**
 * Reads registration files (application service API, "Registration").
 * @param paths files, or folders of which every `.yaml` and `.yml` is one
 * @throws ConfigError with every problem and its place
 */
export function loadAppservices(paths: readonly string[], serverName: ServerName): Appservice[] {
  const problems: string[] = [];
  const files = paths.flatMap(registrationFiles).map((path) => new RegistrationFile(path, serverName));
  const registrations = files.map((file) => file.read());
  for (const file of files) problems.push(...file.problems);
  problems.push(...duplicates(files));
  if (problems.length > 0) throw new ConfigError(problems);
  return registrations.map((registration) => new Appservice(registration, serverName));
}

/** The files that a path of the configuration stands for. */
export function registrationFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return globSync("*.{yaml,yml}", { cwd: path })
    .toSorted()
    .map((name) => join(path, name));
}

/** "Each `as_token` and `id` MUST be unique per application service [...] The homeserver MUST enforce this." */
function duplicates(files: readonly RegistrationFile[]): string[] {
  const problems: string[] = [];
  for (const key of ["id", "as_token"]) {
    const seen = new Map<JsonValue, RegistrationFile>();
    for (const file of files) {
      const value = file.content[key];
      const before = typeof value === "string" ? seen.get(value) : undefined;
      if (before) problems.push(file.problem([key], `is that of ${before.path} already`));
      else if (typeof value === "string") seen.set(value, file);
    }
  }
  return problems;
}

/** One file, and what is wrong with it. Keys that are not known are let pass: bridges have some of their own. */
class RegistrationFile {
  readonly path: string;
  readonly problems: string[] = [];
  readonly content: JsonObject;
  readonly #yaml: YamlFile;
  readonly #serverName: ServerName;

  /** @throws ConfigError for what cannot be read or is not YAML */
  constructor(path: string, serverName: ServerName) {
    this.path = path;
    this.#serverName = serverName;
    this.#yaml = readYamlFile(path);
    const { value } = this.#yaml;
    this.content = isJsonObject(value) ? value : {};
    if (!isJsonObject(value)) this.problems.push(`${path}: a registration has to be a group of keys`);
  }

  /** What the file says; only to be used when there are no problems. */
  read(): Registration {
    const { content } = this;
    const namespaces = content["namespaces"] ?? null;
    if (!isJsonObject(namespaces)) {
      this.#report(["namespaces"], "has to be a group of the keys users, aliases and rooms");
    }
    const groups = isJsonObject(namespaces) ? namespaces : {};
    const wanted = Object.entries(ephemeralKeys).filter(([key]) => this.#flag(key, false));
    return {
      id: this.#id(),
      url: this.#url(),
      asToken: this.#token("as_token"),
      hsToken: this.#token("hs_token"),
      senderLocalpart: this.#senderLocalpart(),
      users: this.#namespaces(groups, "users"),
      aliases: this.#namespaces(groups, "aliases"),
      rooms: this.#namespaces(groups, "rooms"),
      isRateLimited: this.#flag("rate_limited", true),
      protocols: this.#protocols(),
      ephemeralKeys: wanted.map(([, key]) => key),
      wantsDeviceLists: this.#flag("org.matrix.msc3202", false),
    };
  }

  /** A sentence that names the place. */
  problem(place: readonly (string | number)[], text: string): string {
    const line = this.#yaml.lineOf(place);
    return `${this.path}${line === undefined ? "" : `:${line}`}: ${place.join(".")} ${text}`;
  }

  #report(place: readonly (string | number)[], text: string): void {
    this.problems.push(this.problem(place, text));
  }

  #id(): string {
    const { id } = this.content;
    if (typeof id === "string" && id !== "" && id.length <= maxIdLength) return id;
    this.#report(["id"], `has to be a text of 1 to ${maxIdLength} characters, in quotes if it is a number`);
    return "";
  }

  #url(): string | null {
    const { url } = this.content;
    if (url === null || url === "") return null;
    const parsed = typeof url === "string" ? URL.parse(url) : null;
    const isUsable =
      parsed !== null &&
      ["http:", "https:"].includes(parsed.protocol) &&
      `${parsed.username}${parsed.password}${parsed.search}${parsed.hash}` === "";
    if (isUsable) return parsed.href.replace(/\/+$/, "");
    this.#report(
      ["url"],
      "has to be an http:// or https:// address without user name, query and fragment, or null for no traffic",
    );
    return null;
  }

  #token(key: "as_token" | "hs_token"): string {
    const token = this.content[key];
    if (typeof token === "string" && tokenGrammar.test(token)) return token;
    this.#report([key], "has to be a secret text without blanks, in quotes if it is a number");
    return "";
  }

  #senderLocalpart(): string {
    const { sender_localpart: name } = this.content;
    if (typeof name === "string" && name !== "" && makeUserId(name, this.#serverName)) return name;
    this.#report(["sender_localpart"], "has to be the part of a user ID before the colon, without the @");
    return "";
  }

  #namespaces(groups: JsonObject, kind: string): readonly Namespace[] {
    const entries = groups[kind] ?? [];
    if (!Array.isArray(entries) || entries.length > maxNamespaces) {
      this.#report(["namespaces", kind], `has to be a list of at most ${maxNamespaces} namespaces`);
      return [];
    }
    return entries.flatMap((entry, index) => this.#namespace(entry, ["namespaces", kind, index]) ?? []);
  }

  #namespace(entry: JsonValue, place: readonly (string | number)[]): Namespace | undefined {
    if (!isJsonObject(entry)) {
      this.#report(place, "has to be a group of the keys regex and exclusive");
      return undefined;
    }
    const { regex, exclusive } = entry;
    if (typeof exclusive !== "boolean") this.#report([...place, "exclusive"], "has to be true or false");
    if (typeof regex !== "string") {
      this.#report([...place, "regex"], "has to be a regular expression, in quotes");
      return undefined;
    }
    try {
      return { pattern: new Pattern(regex), isExclusive: exclusive === true };
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.#report([...place, "regex"], `is no regular expression that can be used: ${error.message}`);
      return undefined;
    }
  }

  #protocols(): readonly string[] {
    const protocols = this.content["protocols"] ?? [];
    const isList = Array.isArray(protocols) && protocols.length <= maxProtocols;
    const names = isList ? protocols.filter((name) => typeof name === "string" && name !== "") : [];
    if (!isList || names.length < protocols.length) {
      this.#report(["protocols"], `has to be a list of at most ${maxProtocols} names`);
    }
    return names.map(String);
  }

  #flag(key: string, fallback: boolean): boolean {
    const value = this.content[key] ?? fallback;
    if (typeof value === "boolean") return value;
    this.#report([key], "has to be true or false");
    return fallback;
  }
}
