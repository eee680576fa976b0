import { isJsonObject, type JsonObject, type JsonValue } from "../protocol/json.ts";
import { parsePropertyPath } from "../protocol/property-path.ts";

/** Wanted properties by name; an empty map wants the whole value. */
type Wanted = Map<string, Wanted>;

/** `event_fields` of a filter: which properties of events a client wants (client-server API, "Filtering"). */
export class EventFields {
  readonly #wanted: Wanted;

  /** @param paths dot-separated property paths (appendices) */
  constructor(paths: readonly string[]) {
    this.#wanted = new Map();
    const whole = new Set<Wanted>();
    for (const path of paths) {
      let place = this.#wanted;
      for (const name of parsePropertyPath(path)) {
        const inner = place.get(name) ?? new Map();
        place.set(name, inner);
        place = inner;
      }
      whole.add(place);
    }
    // `content` beside `content.body` wants all of it.
    for (const place of whole) place.clear();
  }

  /** A copy of an event with nothing but the wanted properties, as far as it has them. */
  select(event: JsonObject): JsonObject {
    return selected(event, this.#wanted);
  }
}

function selected(object: JsonObject, wanted: Wanted): JsonObject {
  const entries: [string, JsonValue][] = [];
  for (const [name, inner] of wanted) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value === undefined) continue;
    if (inner.size === 0) entries.push([name, value]);
    else if (isJsonObject(value)) {
      const part = selected(value, inner);
      if (Object.keys(part).length > 0) entries.push([name, part]);
    }
  }
  return Object.fromEntries(entries);
}
