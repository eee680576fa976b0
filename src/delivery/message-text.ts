import type { MessageKind } from "../storage/deliveries.ts";

/** The words of a message, in one language. `{{name}}` stands for a value. */
export interface MessageText {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What is on the button that leads to `{{link}}`, for messages that have one. */
  readonly action?: string;
  /** The same in a text message. */
  readonly sms: string;
}

/** All words of one language. */
export type MessageTexts = Readonly<Record<MessageKind, MessageText>>;

/** What can stand in a message. */
export const valueNames = [
  /** The organisation that runs the server, and the server's name. */
  "organisation",
  "server",
  /** The recipient's address. */
  "address",
  /** How the address is proved: by a page, or by typing a number. */
  "link",
  "code",
  /** For how long. */
  "hours",
  /** Who invites to which room. */
  "inviter",
  "room",
] as const;

export type MessageValues = Readonly<Partial<Record<(typeof valueNames)[number], string>>>;

/** Text with its values filled in; what has no value becomes nothing. */
export function fillIn(
  text: string,
  values: MessageValues,
  escape: (value: string) => string = (v) => v,
): string {
  const byName: Readonly<Record<string, string | undefined>> = values;
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_braces, name: string) => escape(byName[name] ?? ""));
}

/** The names between double braces that are those of no value. */
export function unknownNames(text: string): string[] {
  const names = [...text.matchAll(/\{\{([^{}]*)\}\}/g)].map(([, name = ""]) => name);
  return names.filter((name) => !valueNames.some((known) => known === name));
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
