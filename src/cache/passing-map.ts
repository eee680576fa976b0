/**
 * A map of what is there for a moment only. Each time a `Map` whose entries come and go makes itself a new table, V8 keeps
 * the old one pointing to it. Once one of them has lived long enough to be collected rarely, all that come after it are
 * kept as well, with what was in them, until the whole heap is collected. So the tables of this one hold nothing but
 * places, and a place is emptied when its entry goes.
 */
export class PassingMap<Key, Value extends {}> {
  readonly #places = new Map<Key, { value: Value | undefined }>();

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value;
  }

  has(key: Key): boolean {
    return this.#places.has(key);
  }

  set(key: Key, value: Value): void {
    const place = this.#places.get(key);
    if (place) place.value = value;
    else this.#places.set(key, { value });
  }

  delete(key: Key): void {
    const place = this.#places.get(key);
    if (!place) return;
    place.value = undefined;
    this.#places.delete(key);
  }
}
