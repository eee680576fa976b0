import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";

/** What one part of the source may import. `from` and `to` are tested on paths from the root, or on package names. */
interface ImportRule {
  readonly why: string;
  readonly from: RegExp;
  readonly notFrom?: RegExp;
  /** All that may be imported … */
  readonly only?: RegExp;
  /** … or what may not. */
  readonly never?: RegExp;
  /** Imports of types are not held to the rule: nothing is loaded by them. */
  readonly typesAreFree?: boolean;
}

/** Tests and, in folders called "testing", what they share. */
const tests = /\.test\.ts$|\/testing\//;

const rules: readonly ImportRule[] = [
  {
    why: "src/protocol is pure Matrix: it imports only itself, tweetnacl, canonical-json and node:crypto",
    from: /^src\/protocol\//,
    notFrom: tests,
    only: /^(src\/protocol\/.*|tweetnacl|canonical-json|node:crypto)$/,
  },
  {
    why: "the tests of src/protocol need nothing of the server",
    from: /^src\/protocol\/(.*\.test\.ts$|(.*\/)?testing\/)/,
    only: /^(src\/protocol\/.*|tap|fast-check|tweetnacl|canonical-json|node:.*)$/,
  },
  {
    why: "src/api is data: it imports itself, what describes schemas, and types of src/protocol",
    from: /^src\/api\//,
    notFrom: tests,
    only: /^(src\/api\/.*|src\/schema\/type\.ts)$/,
    typesAreFree: true,
  },
  {
    why: "src/api knows of types in src/protocol only",
    from: /^src\/api\//,
    notFrom: tests,
    only: /^(src\/(api|protocol)\/.*|src\/schema\/type\.ts|typebox)$/,
  },
  {
    why: "the whole of typebox takes long to load: src/schema has what is needed of it",
    from: /^src\//,
    notFrom: /^src\/schema\/|\.test\.ts$|\/testing\//,
    never: /^typebox(\/.*)?$/,
    typesAreFree: true,
  },
  {
    why: "services, ingest, sync, jobs and what administrators do know nothing of HTTP",
    from: /^src\/(admin|jobs|services|ingest|sync)\//,
    never: /^(src\/http\/.*|koa|@koa\/.*|node:https?|node:http2)$/,
  },
  {
    why: "only src/server.ts and src/composition/backups.ts name a storage back end",
    from: /^src\//,
    notFrom: /^src\/(server|composition\/backups)\.ts$|^src\/storage\/sqlite\/|\.test\.ts$|\/testing\//,
    never: /^(src\/storage\/sqlite\/.*|better-sqlite3)$/,
  },
  {
    why: "the command line is the outermost part: nothing imports it",
    from: /^src\//,
    notFrom: /^src\/(main\.ts$|cli\/)/,
    never: /^src\/(main\.ts$|cli\/)/,
  },
  {
    why: "src/console runs in browsers: it imports itself and what is made for them",
    from: /^src\/console\//,
    notFrom: tests,
    only: /^(src\/console\/.*|react|react-dom\/client|@mantine\/.*)$/,
  },
  {
    why: "src/console is no part of the server",
    from: /^(?!src\/console\/)/,
    never: /^src\/console\//,
  },
  {
    why: "what is shipped imports no tests and no scripts",
    from: /^src\//,
    notFrom: tests,
    never: /\.test\.ts$|\/testing\/|^(scripts|spec-tests)\//,
  },
  {
    why: "a fake peer that shared code with the server would share its bugs",
    // The tests against servers of others are no such peer.
    from: /^spec-tests\/(?!peers\/).*(fake|peer)/,
    never: /^src\//,
  },
];

/** The rules that a file breaks, a line of text for each import that breaks one. */
export function brokenRules(file: string, source: string): string[] {
  return importsOf(file, source).flatMap(({ target, line, isType }) =>
    rules
      .filter((rule) => rule.from.test(file) && !rule.notFrom?.test(file) && !(rule.typesAreFree && isType))
      .filter(({ only, never }) => (only && !only.test(target)) || never?.test(target))
      .map(({ why }) => `${file}:${line} imports ${target}: ${why}`),
  );
}

interface Import {
  readonly target: string;
  readonly line: number;
  readonly isType: boolean;
}

function importsOf(file: string, source: string): Import[] {
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0]?.message}`);
  const found = (specifier: string, start: number, isType: boolean): Import => ({
    target: specifier.startsWith(".") ? join(dirname(file), specifier) : specifier,
    line: source.slice(0, start).split("\n").length,
    isType,
  });
  const areTypes = (entries: readonly { isType: boolean }[]) =>
    entries.length > 0 && entries.every(({ isType }) => isType);
  const exported = module.staticExports.flatMap(({ entries }) => entries);
  return [
    ...module.staticImports.map(({ moduleRequest, start, entries }) =>
      found(moduleRequest.value, start, areTypes(entries)),
    ),
    ...exported.flatMap(({ moduleRequest, start, isType }) =>
      moduleRequest ? [found(moduleRequest.value, start, isType)] : [],
    ),
    ...module.dynamicImports.map(({ moduleRequest }) => {
      const specifier = source.slice(moduleRequest.start, moduleRequest.end).replace(/^["'`]|["'`]$/g, "");
      return found(specifier, moduleRequest.start, false);
    }),
  ];
}

if (import.meta.main) {
  const files = globSync(["src/**/*.{ts,tsx}", "spec-tests/**/*.ts"]);
  const broken = files.flatMap((file) => brokenRules(file.replaceAll("\\", "/"), readFileSync(file, "utf8")));
  for (const line of broken) console.error(line);
  process.exitCode = broken.length > 0 ? 1 : 0;
}
