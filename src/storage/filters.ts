/** Filters that clients have stored (client-server API, "Filtering"). A definition never changes under its ID. */
export interface FilterStore {
  /** The definition, as JSON text. */
  find(userNid: number, filterId: string): Promise<string | undefined>;
  /** Stores a filter. Of a user's filters, those stored longest ago beyond `maxFilters` go. */
  put(
    userNid: number,
    filterId: string,
    definition: string,
    storedTs: number,
    maxFilters: number,
  ): Promise<void>;
}
