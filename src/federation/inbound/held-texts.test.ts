import t from "tap";
import { HeldTexts } from "./held-texts.ts";

t.test("texts come back as they were, short, long and beyond ASCII", async (t) => {
  const texts = ["", "short", "ü€😀", "x".repeat(700_000), "y".repeat(700_000), "😀".repeat(400_000), "last"];
  const held = new HeldTexts();
  const places = texts.map((text) => held.add(text));
  t.strictSame(
    places.map((place) => held.at(place)),
    texts,
  );
});

t.test("nothing is held after all was let go", async (t) => {
  const held = new HeldTexts();
  const place = held.add("a text");
  held.clear();
  t.throws(() => held.at(place), RangeError);
  t.equal(held.at(held.add("another")), "another");
});
