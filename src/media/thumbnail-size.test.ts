import t from "tap";
import { fitsIn, thumbnailSize, variantName } from "./thumbnail-size.ts";

const sizeOf = (method: "crop" | "scale", width: number, height: number) =>
  variantName(thumbnailSize({ method, width, height, animated: false }), false);

t.test("the sizes of the specification are there", async (t) => {
  t.equal(sizeOf("crop", 32, 32), "crop 32x32");
  t.equal(sizeOf("crop", 96, 96), "crop 96x96");
  t.equal(sizeOf("scale", 320, 240), "scale 320x240");
  t.equal(sizeOf("scale", 640, 480), "scale 640x480");
  t.equal(sizeOf("scale", 800, 600), "scale 800x600");
});

t.test("a wish is rounded up, in both dimensions", async (t) => {
  t.equal(sizeOf("crop", 1, 1), "crop 32x32");
  t.equal(sizeOf("crop", 33, 10), "crop 96x96");
  t.equal(sizeOf("crop", 10, 97), "crop 256x256");
  t.equal(sizeOf("crop", 300, 200), "crop 320x240");
  t.equal(sizeOf("scale", 1, 1), "scale 320x240");
  t.equal(sizeOf("scale", 240, 320), "scale 640x480");
  t.equal(sizeOf("scale", 801, 1), "scale 1600x1200");
});

t.test("what is larger than every size is the whole picture", async (t) => {
  t.equal(sizeOf("crop", 1025, 1), "whole");
  t.equal(sizeOf("scale", 1, 100_000), "whole");
  t.equal(variantName({ method: "whole" }, true), "whole animated");
});

t.test("a picture fits into a size or not", async (t) => {
  const size = { method: "scale", width: 320, height: 240 } as const;
  t.ok(fitsIn({ width: 320, height: 240 }, size));
  t.notOk(fitsIn({ width: 321, height: 10 }, size));
  t.notOk(fitsIn({ width: 10, height: 241 }, size));
  t.ok(fitsIn({ width: 9000, height: 9000 }, { method: "whole" }));
});
