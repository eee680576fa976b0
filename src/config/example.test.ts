import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parse } from "yaml";
import { exampleConfig } from "./example.ts";
import { configFrom } from "./load.ts";
import { configSchema } from "./schema.ts";

t.test("the committed config.example.yaml is what the schema says", async (t) => {
  const committed = readFileSync(join(import.meta.dirname, "../../config.example.yaml"), "utf8");
  t.equal(committed, exampleConfig(), "run `npm run config:example`");
});

t.test("the example can be used as it is, and its comments hold every key with its default", async (t) => {
  t.equal(configFrom(parse(exampleConfig()), "/srv").server_name, "example.org");
  // Prose has one space after its #, and a list of an entry's keys three; YAML an even number.
  const uncommented: unknown = parse(exampleConfig().replaceAll(/^( *)#(?=(?: {2})*[^ \n])/gm, "$1"));
  t.strictSame(Object.keys(uncommented ?? {}), Object.keys(configSchema.properties));
  const { server_name: _name, public_base_url: _url, ...defaults } = configFrom({}, "/srv");
  t.match(configFrom(uncommented, "/srv"), defaults);
});
