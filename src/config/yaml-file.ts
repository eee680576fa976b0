import { readFileSync } from "node:fs";
import { isCollection, isNode, isPair, isScalar, LineCounter, parseDocument } from "yaml";
import { ConfigError } from "./config-error.ts";
import type { ConfigPath } from "./validate.ts";

export interface YamlFile {
  /** Plain JSON; `null` for an empty file. */
  readonly value: unknown;
  /** The line (from 1) where a key or list entry stands, or the nearest one around it that the file has. */
  lineOf(path: ConfigPath): number | undefined;
}

/** Reads a YAML 1.2 file. Throws a ConfigError when it cannot be read or is not YAML. */
export function readYamlFile(path: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
  });
  const problems = document.errors.map(
    ({ pos, message }) => `${path}:${lines.linePos(pos[0]).line}: this is not valid YAML: ${message}`,
  );
  if (problems.length > 0) throw new ConfigError(problems);

  function lineOf(wanted: ConfigPath): number | undefined {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const part of wanted) {
      if (!isCollection(node)) break;
      const item: unknown = node.items.find((candidate, index) =>
        isPair(candidate) ? isScalar(candidate.key) && String(candidate.key.value) === part : index === part,
      );
      const place = isPair(item) ? item.key : item;
      if (!isNode(place)) break;
      offset = place.range?.[0];
      node = isPair(item) ? item.value : item;
    }
    return offset === undefined ? undefined : lines.linePos(offset).line;
  }
  return { value: document.toJS(), lineOf };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new ConfigError([`The configuration file ${path} does not exist.`]);
    if (code === "EISDIR") throw new ConfigError([`${path} is a folder, not a configuration file.`]);
    throw new ConfigError([`The configuration file ${path} cannot be read (${String(code ?? error)}).`]);
  }
}
