import { Document, isScalar, visit } from "yaml";
import { type ConfigSchema, configSchema } from "./schema.ts";
import { withoutNull } from "./validate.ts";

const header = `# The configuration of Hearth: every key with what it means. The values in comments are the defaults; take the # away
# from the lines that you change. Relative paths start at the folder of this file.
#
# Each key can also be set by an environment variable, which stands over this file: HEARTH_REGISTRATION__MODE=open sets
# registration.mode; lists and groups are written as JSON. Check a file with: hearth config check --config FILE
#
# Generated from src/config/schema.ts by \`npm run config:example\`.
`;
const lineWidth = 118;

/** The text of config.example.yaml: every key of the schema, in its order, with its description and default. */
export function exampleConfig(): string {
  return `${header}\n${group(configSchema, "").join("\n\n")}\n`;
}

function group({ properties = {} }: ConfigSchema, indent: string): string[] {
  return Object.entries(properties).map(([key, schema]) =>
    schema.properties
      ? `${indent}${key}:\n${group(schema, `${indent}  `).join("\n\n")}`
      : `${comment(explanation(schema), indent)}\n${entry(key, schema, indent)}`,
  );
}

function entry(key: string, schema: ConfigSchema, indent: string): string {
  const isSetByEverybody = schema.example !== undefined && schema.default !== undefined;
  const mark = isSetByEverybody ? "" : "#";
  return yamlLines({ [key]: schema.example ?? schema.default })
    .map((line) => `${indent}${mark}${line}`)
    .join("\n");
}

function explanation(schema: ConfigSchema): string[] {
  const items = schema.items?.properties;
  const isShown = schema.example === undefined;
  if (!items) return [sentences(schema, isShown)];
  return [
    `${sentences(schema, isShown)} An entry has:`,
    ...Object.entries(items).flatMap(([key, item]) => itemLines(key, item)),
  ];
}

function itemLines(key: string, schema: ConfigSchema, depth = 1): string[] {
  const inner = Object.entries(schema.properties ?? {});
  return [
    `${"  ".repeat(depth)}${key}: ${sentences(schema, false)}`,
    ...inner.flatMap(([innerKey, innerSchema]) => itemLines(innerKey, innerSchema, depth + 1)),
  ];
}

/** @param isShown whether the default stands in the line below */
function sentences(schema: ConfigSchema, isShown: boolean): string {
  const values = schema.enum ?? schema.items?.enum;
  const oneOf = values ? ` ${schema.enum ? "One" : "Some"} of ${values.join(", ")}.` : "";
  const standard = isShown || schema.default === undefined ? "" : ` Default: ${plain(schema.default)}.`;
  return `${withoutNull(schema).description ?? schema.description ?? ""}${oneOf}${standard}`;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Each paragraph wrapped, its further lines under its first. */
function comment(paragraphs: readonly string[], indent: string): string {
  const lines = paragraphs.flatMap((paragraph) => {
    const margin = /^ */.exec(paragraph)?.[0] ?? "";
    const continuation = margin === "" ? "" : `${margin}  `;
    return wrap(paragraph.trimStart(), lineWidth - indent.length - continuation.length).map((line, index) =>
      index === 0 ? margin + line : continuation + line,
    );
  });
  return lines.map((line) => `${indent}# ${line}`).join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

function yamlLines(value: object): string[] {
  const document = new Document(value);
  visit(document, {
    Seq(_key, node) {
      if (node.items.every(isScalar)) node.flow = true;
    },
  });
  return document.toString({ flowCollectionPadding: false, lineWidth: 0 }).trimEnd().split("\n");
}
