import type { PageFacts } from "./page-facts.ts";

/** Properties as in the OpenGraph protocol, by their names: texts that are shown, but no picture's address. */
export type OpenGraph = Readonly<Record<string, string>>;

const maxTitleLength = 300;
const maxDescriptionLength = 500;
const maxValueLength = 1_000;
const maxProperties = 40;
/** An OpenGraph property is taken over when it is one of these and is no address of a picture. */
const propertyName = /^(og|article|profile):[a-z0-9_:.-]{1,60}$/;
const pictureName = /^og:image(:|$)/;
/** What pages say in other words, in the order of preference. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  "og:title": ["twitter:title", "dc.title", "dcterms.title"],
  "og:description": ["twitter:description", "description", "dc.description", "dcterms.description"],
  "og:site_name": ["application-name"],
};

/** What a page tells about itself, in OpenGraph's terms; what it does not tell is gathered from its text. */
export function openGraphOf({ meta, title, heading, text }: PageFacts): OpenGraph {
  const found: Record<string, string> = {};
  for (const [name, value] of meta) {
    if (!propertyName.test(name) || (pictureName.test(name) && name !== "og:image:alt")) continue;
    if (Object.keys(found).length < maxProperties) found[name] = value;
  }
  for (const [name, others] of Object.entries(synonyms)) {
    const value = found[name] ?? others.map((other) => meta.get(other)).find((other) => other !== undefined);
    if (value !== undefined) found[name] = value;
  }
  return tidied({ "og:title": title || heading, "og:description": text, ...found });
}

/** Without what is empty, and nothing longer than it is shown. */
export function tidied(properties: OpenGraph): OpenGraph {
  const entries = Object.entries(properties).map(([name, value]) => [name, shortened(name, value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

function shortened(name: string, value: string): string {
  if (name === "og:title") return cut(line(value), maxTitleLength);
  if (name === "og:description") return cut(value.trim(), maxDescriptionLength);
  // Half an address leads nowhere.
  return value.length > maxValueLength ? "" : line(value);
}

function line(value: string): string {
  return value.replaceAll(/\s+/g, " ").trim().toWellFormed();
}

/** At the end of a word where there is one. */
function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text.toWellFormed();
  const start = text.slice(0, maxLength - 1).toWellFormed();
  const end = start.search(/\s+\S*$/);
  return `${(end > maxLength / 2 ? start.slice(0, end) : start).trimEnd()}…`;
}
