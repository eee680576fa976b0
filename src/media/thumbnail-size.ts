export type ThumbnailMethod = "crop" | "scale";

/** What a client asks for. */
export interface ThumbnailWish {
  readonly width: number;
  readonly height: number;
  readonly method: ThumbnailMethod;
  /** Whether a moving picture may stay one. */
  readonly animated: boolean;
}

/** What is made of a picture: cut to a size, fitted into one, or left at its own. */
export type ThumbnailSize =
  | { readonly method: ThumbnailMethod; readonly width: number; readonly height: number }
  | { readonly method: "whole" };

/**
 * The sizes that there are, smallest first. Whatever a client asks for is rounded up to one of them, so that nobody can
 * fill the disk with a thumbnail for each pixel. Client-server API, "Thumbnails": 32x32 and 96x96 cropped, 320x240,
 * 640x480 and 800x600 scaled; the others are for dense screens.
 */
const sizes: Readonly<Record<ThumbnailMethod, readonly (readonly [width: number, height: number])[]>> = {
  crop: [
    [32, 32],
    [96, 96],
    [256, 256],
    [320, 240],
    [512, 512],
    [800, 600],
    [1024, 1024],
  ],
  scale: [
    [320, 240],
    [640, 480],
    [800, 600],
    [1600, 1200],
  ],
};

/**
 * The smallest size that is not smaller than the wish: "The server will return an image larger than or equal to the
 * dimensions requested where possible."
 */
export function thumbnailSize({ width, height, method }: ThumbnailWish): ThumbnailSize {
  const found = sizes[method].find(([w, h]) => w >= width && h >= height);
  return found ? { method, width: found[0], height: found[1] } : { method: "whole" };
}

/** What a thumbnail of a size is stored as. */
export function variantName(size: ThumbnailSize, animated: boolean): string {
  const name = size.method === "whole" ? "whole" : `${size.method} ${size.width}x${size.height}`;
  return animated ? `${name} animated` : name;
}

/** Whether a picture is no larger than a size: there is nothing to be made smaller. */
export function fitsIn(picture: { width: number; height: number }, size: ThumbnailSize): boolean {
  return size.method === "whole" || (picture.width <= size.width && picture.height <= size.height);
}
