import type { ConfigSchema } from "./schema.ts";
import { type ConfigPath, keyNames, pathName, withoutNull } from "./validate.ts";
import { nearest } from "./nearest.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the configuration file itself. */
export const configFileVariable = "HEARTH_CONFIG";
const prefix = "HEARTH_";

/** Kubernetes gives the addresses of a service called "hearth" to every pod by these names. */
const setByKubernetes =
  /^HEARTH_(SERVICE_(HOST|PORT)(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

export interface EnvironmentValue {
  readonly variable: string;
  readonly path: ConfigPath;
  readonly value: unknown;
}

/** `["registration", "mode"]` is set by `HEARTH_REGISTRATION__MODE`. */
function variableName(path: ConfigPath): string {
  return prefix + path.join("__").toUpperCase();
}

/**
 * The configuration values that environment variables set: text as it is, numbers and booleans by the key's type, lists and
 * groups as JSON. A variable for a group comes before those for its keys.
 *
 * @returns the values, and a sentence for each variable that is no key or cannot be read
 */
export function readEnvironment(
  schema: ConfigSchema,
  environment: Environment,
): { values: readonly EnvironmentValue[]; problems: readonly string[] } {
  const values: EnvironmentValue[] = [];
  const problems: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !variable.startsWith(prefix)) continue;
    if (variable === configFileVariable || setByKubernetes.test(variable)) continue;
    const path = variable.slice(prefix.length).toLowerCase().split("__");
    const key = schemaAt(schema, path);
    if (!key) {
      problems.push(unknownVariable(schema, variable, path));
      continue;
    }
    try {
      values.push({ variable, path, value: parseText(key, text) });
    } catch {
      problems.push(`The environment variable ${variable} has to hold JSON for ${pathName(path)}.`);
    }
  }
  return { values: values.toSorted((a, b) => a.path.length - b.path.length), problems };
}

function schemaAt(schema: ConfigSchema, path: readonly string[]): ConfigSchema | undefined {
  let found: ConfigSchema | undefined = schema;
  for (const key of path) {
    const properties: ConfigSchema["properties"] = found.properties;
    found = properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!found) return undefined;
  }
  return found;
}

/** A number or boolean that cannot be read stays text, so that validation says what was expected. */
function parseText(schema: ConfigSchema, text: string): unknown {
  const { type, properties, items } = withoutNull(schema);
  if (schema.anyOf && (text === "" || text === "null")) return null;
  if (properties || items) return JSON.parse(text);
  if (type === "integer" || type === "number")
    return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}

function unknownVariable(schema: ConfigSchema, variable: string, path: readonly string[]): string {
  const variables = [...keyNames(schema)].map((name) => variableName(name.split(".")));
  const meant = nearest(variable, variables) ?? nearest(variable.replaceAll("__", "_"), variables);
  const hint = meant ? ` Did you mean ${meant}?` : "";
  return `The environment variable ${variable} would set ${pathName(path)}, which is not a key of the configuration.${hint}`;
}
