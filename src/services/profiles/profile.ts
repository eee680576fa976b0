import type { JsonObject } from "../../protocol/json.ts";
import type { ProfileField } from "../../storage/profiles.ts";

/** What a user shows of themselves. */
export class Profile {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: readonly ProfileField[]) {
    this.#fields = new Map(fields.map(({ name, value }) => [name, value]));
  }

  /** One field, as a JSON object with this one key; `undefined` when it is not set. */
  field(name: string): string | undefined {
    const value = this.#fields.get(name);
    return value === undefined ? undefined : jsonObject([[name, value]]);
  }

  /** All fields, as a JSON object. */
  get json(): string {
    return jsonObject([...this.#fields]);
  }

  /** What member events say of the user: `displayname` and `avatar_url`, as far as they are set. */
  get memberContent(): JsonObject {
    const shown = [...this.#fields].filter(([name]) => name === "displayname" || name === "avatar_url");
    return JSON.parse(jsonObject(shown)) as JsonObject;
  }
}

function jsonObject(members: readonly (readonly [name: string, value: string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}
