import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StartupError } from "../config/startup-error.ts";
import type { MessageKind } from "../storage/deliveries.ts";
import { unknownNames } from "./message-text.ts";
import { english } from "./texts/en.ts";

/** A text of the operator's own. */
export interface CustomText {
  readonly subject: string;
  readonly text: string;
  /** `undefined`: the text alone. */
  readonly html: string | undefined;
}

const kinds = Object.keys(english) as MessageKind[];
const languageGrammar = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;

/**
 * The operator's own texts, by language and kind.
 * @throws StartupError for a folder that cannot be read and a text with unknown values
 */
export function readCustomTexts(folder: string): ReadonlyMap<string, ReadonlyMap<MessageKind, CustomText>> {
  const languages = new Map<string, Map<MessageKind, CustomText>>();
  for (const language of namesIn(folder).filter((name) => languageGrammar.test(name))) {
    const texts = new Map<MessageKind, CustomText>();
    for (const kind of kinds) {
      const text = readText(join(folder, language, kind));
      if (text) texts.set(kind, text);
    }
    languages.set(language, texts);
  }
  return languages;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    throw new StartupError("bad-text", `The folder ${folder} (email.template_dir) cannot be read.`, {
      cause: error,
    });
  }
}

/** @param path of the files, without their endings */
function readText(path: string): CustomText | undefined {
  const plain = readFile(`${path}.txt`);
  const html = readFile(`${path}.html`);
  if (plain === undefined) {
    if (html === undefined) return undefined;
    throw new StartupError(
      "bad-text",
      `${path}.html needs a ${path}.txt beside it, for those who read no HTML.`,
    );
  }
  const [subject = "", ...lines] = plain.split(/\r?\n/);
  const text = lines.join("\n").trim();
  if (subject.trim() === "" || text === "") {
    throw new StartupError(
      "bad-text",
      `${path}.txt has to have the subject in its first line, and a text below.`,
    );
  }
  return { subject: subject.trim(), text, html };
}

function readFile(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  const [unknown] = unknownNames(text);
  if (unknown === undefined) return text;
  throw new StartupError("bad-text", `${file} has {{${unknown}}}, which stands for nothing.`);
}
