import type { Delivery, MessageKind } from "../storage/deliveries.ts";
import type { CustomText } from "./custom-texts.ts";
import { preferredLanguage } from "./languages.ts";
import {
  escapeHtml,
  fillIn,
  type MessageText,
  type MessageTexts,
  type MessageValues,
} from "./message-text.ts";
import { chinese } from "./texts/zh.ts";
import { english } from "./texts/en.ts";

/** A message, ready to be sent. */
export interface WrittenMessage {
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  /** As a text message. */
  readonly sms: string;
}

/** What proves an address: made when it is needed, so that it is stored nowhere. */
export interface ValidationSecrets {
  readonly link: string;
  readonly code: string;
}

export interface MessageWriterParts {
  readonly organisation: string;
  readonly serverName: string;
  /** For whose language there are no texts. */
  readonly fallbackLanguage: string;
  readonly customTexts: ReadonlyMap<string, ReadonlyMap<MessageKind, CustomText>>;
  readonly secretsOf: (sid: string) => ValidationSecrets;
}

const builtIn: ReadonlyMap<string, MessageTexts> = new Map([
  ["en", english],
  ["zh", chinese],
]);

/** Puts messages into words. */
export class MessageWriter {
  readonly #parts: MessageWriterParts;
  readonly #languages: readonly string[];

  constructor(parts: MessageWriterParts) {
    this.#parts = parts;
    this.#languages = [...new Set([...parts.customTexts.keys(), ...builtIn.keys()])];
  }

  /** Whether there are texts in a language. */
  speaks(language: string): boolean {
    return this.#languages.includes(language);
  }

  /** The language for somebody, by the `Accept-Language` header that they sent. */
  languageFor(acceptLanguage: string | undefined): string {
    return preferredLanguage(acceptLanguage, this.#languages) ?? this.#parts.fallbackLanguage;
  }

  write({ kind, language, address, values: { sid, ...values } }: Delivery): WrittenMessage {
    const { organisation, serverName, secretsOf, customTexts } = this.#parts;
    const secrets = sid === undefined ? {} : secretsOf(sid);
    const all: MessageValues = { ...values, organisation, server: serverName, address, ...secrets };
    const words = (builtIn.get(language) ?? builtIn.get(this.#parts.fallbackLanguage) ?? english)[kind];
    const custom = customTexts.get(language)?.get(kind);
    const sms = fillIn(words.sms, all);
    if (!custom) return { ...ownMessage(words, language, all), sms };
    return {
      subject: fillIn(custom.subject, all),
      text: fillIn(custom.text, all),
      html: custom.html === undefined ? undefined : fillIn(custom.html, all, escapeHtml),
      sms,
    };
  }
}

function ownMessage(
  words: MessageText,
  language: string,
  values: MessageValues,
): Omit<WrittenMessage, "sms"> {
  const { subject, paragraphs, action } = words;
  const link = action === undefined ? [] : ["{{link}}"];
  const [first = "", second = "", ...rest] = paragraphs;
  const text = [first, second, ...link, ...rest].join("\n\n");
  return {
    subject: fillIn(subject, values),
    text: `${fillIn(text, values)}\n`,
    html: html(words, language, values),
  };
}

function html({ subject, paragraphs, action }: MessageText, language: string, values: MessageValues): string {
  const button =
    action === undefined
      ? []
      : [`<p><a href="{{link}}" style="${buttonStyle}">${escapeHtml(action)}</a></p>`, "<p>{{link}}</p>"];
  const [first = "", second = "", ...rest] = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`);
  const body = [first, second, ...button, ...rest].join("\n");
  return fillIn(
    `<!doctype html>
<html lang="${escapeHtml(language)}">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="font-family: sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem">
${body}
</body>
</html>
`,
    values,
    escapeHtml,
  );
}

const buttonStyle =
  "display: inline-block; padding: .6rem 1.2rem; border-radius: .3rem; background: #1f5fbf; color: #fff; " +
  "text-decoration: none";
