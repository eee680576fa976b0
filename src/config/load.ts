import { dirname, resolve } from "node:path";
import { parseServerName } from "../protocol/server-name.ts";
import { ConfigError } from "./config-error.ts";
import { contradictions } from "./contradictions.ts";
import {
  configFileVariable,
  type Environment,
  type EnvironmentValue,
  readEnvironment,
} from "./environment.ts";
import { isOwnServerName } from "./rules.ts";
import { type Config, configSchema, type ConfigValues } from "./schema.ts";
import { type ConfigPath, pathName, type Problem, validate } from "./validate.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";

export interface ConfigSource {
  readonly file?: string | undefined;
  readonly environment: Environment;
}

/**
 * Reads the configuration: the file, then environment variables over it, then defaults.
 *
 * @param source `file`: the YAML file, else the one that HEARTH_CONFIG names, else none; `environment`: process.env
 * @throws ConfigError with every problem and its place
 */
export function loadConfig(source: ConfigSource): Config {
  const file = configFileOf(source);
  const yaml = file === undefined ? undefined : readYamlFile(file);
  const { values, problems } = readEnvironment(configSchema, source.environment);
  const merged = withEnvironment(yaml?.value ?? {}, values);
  const place = (path: ConfigPath) => placeOf(path, values, file, yaml);
  return complete(merged, file === undefined ? process.cwd() : dirname(file), problems, place);
}

/** The file that a configuration is read from, if there is one. */
export function configFileOf(source: ConfigSource): string | undefined {
  const named = source.file ?? source.environment[configFileVariable];
  return named === undefined ? undefined : resolve(named);
}

/**
 * A configuration from plain values, such as those of a parsed file; what is missing gets its default.
 *
 * @param folder relative paths are resolved against it
 * @throws ConfigError with every problem
 */
export function configFrom(values: unknown, folder: string): Config {
  return complete(values, resolve(folder), [], () => "");
}

function complete(
  given: unknown,
  folder: string,
  sentences: readonly string[],
  place: (path: ConfigPath) => string,
): Config {
  const { value, problems } = validate(configSchema, given, folder);
  const inSentences = ({ path, text }: Problem) =>
    `${place(path)}${pathName(path) || "The configuration"} ${text}`;
  const all = [...sentences, ...problems.map(inSentences)];
  if (all.length > 0) throw new ConfigError(all);
  // What is no problem is what the schema says; tests compare the two.
  const values = value as ConfigValues;
  if (!isOwnServerName(values.server_name)) throw new TypeError("validate() let a wrong server name pass.");
  const conflicts = contradictions(values).map(inSentences);
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  return deepFreeze({
    ...values,
    server_name: values.server_name,
    public_base_url: (values.public_base_url ?? derivedBaseUrl(values)).replace(/\/+$/, ""),
  });
}

function withEnvironment(fileValue: unknown, values: readonly EnvironmentValue[]): unknown {
  if (typeof fileValue !== "object" || fileValue === null || Array.isArray(fileValue)) return fileValue;
  const merged: Record<string, unknown> = { ...fileValue };
  for (const { path, value } of values) {
    let group = merged;
    for (const key of path.slice(0, -1)) {
      const inner = group[key];
      const copy = { ...(typeof inner === "object" ? inner : {}) };
      group[key] = copy;
      group = copy;
    }
    const last = path.at(-1);
    if (last !== undefined) group[last] = value;
  }
  return merged;
}

function placeOf(
  path: ConfigPath,
  values: readonly EnvironmentValue[],
  file: string | undefined,
  yaml: YamlFile | undefined,
): string {
  const source = values.findLast((value) => value.path.every((part, index) => part === path[index]));
  if (source) return `${source.variable}: `;
  if (file === undefined) return "";
  const line = yaml?.lineOf(path);
  return line === undefined ? `${file}: ` : `${file}:${line}: `;
}

/** A server that has a name in the DNS is reached by it; one without is on trial, and reached where it listens. */
function derivedBaseUrl({ server_name, listeners }: ConfigValues): string {
  const host = server_name.replace(/:[0-9]+$/, "");
  const isTrial = host === "localhost" || parseServerName(host)?.kind !== "dns";
  if (!isTrial) return `https://${host}`;
  const listener = listeners.find(({ apis }) => apis.includes("client")) ?? listeners[0];
  return listener ? `${listener.tls ? "https" : "http"}://${host}:${listener.port}` : `http://${host}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
