/** What was found behind a URL at some time. */
export interface StoredPreview {
  readonly fetchedTs: number;
  /** Until when it is as good as a new one. */
  readonly freshUntilTs: number;
  /** OpenGraph properties, as JSON text. */
  readonly properties: string;
  /** The picture's media ID, and its size. */
  readonly pictureId: string | null;
  readonly pictureBytes: number;
}

export interface PreviewBounds {
  /** What was fetched before goes. */
  readonly fetchedSinceTs: number;
  /** Of the rest, the newest stay: so many, with so many bytes of pictures. */
  readonly maxPreviews: number;
  readonly maxPictureBytes: number;
}

/** A cache of URL previews (client-server API, "Content repository"), by a hash of what was asked for. */
export interface UrlPreviewStore {
  /** The newest that was fetched no later than at some time. */
  find(key: string, atTs: number): Promise<StoredPreview | undefined>;
  put(key: string, preview: StoredPreview): Promise<void>;
  /** Removes what is beyond the bounds. Returns the media IDs of the pictures that are not needed any more. */
  trim(bounds: PreviewBounds): Promise<string[]>;
}
