import t from "tap";
import { withoutStatus } from "./first-form.ts";

async function read(text: string, chunkLength: number): Promise<string> {
  async function* chunks() {
    for (let start = 0; start < text.length; start += chunkLength) {
      yield Buffer.from(text.slice(start, start + chunkLength));
    }
  }
  let found = "";
  for await (const chunk of withoutStatus(chunks())) found += chunk.toString();
  return found;
}

t.test("what comes after the status is told, however the bytes arrive", async (t) => {
  const answers = [
    ['[200,{"a":[1,[2]],"b":{}}]', '{"a":[1,[2]],"b":{}}'],
    [' [ 200 , {"a":[[[]]] } ] \n', '{"a":[[[]]] } '],
    ['[200, {"state": ["]]", "]"]}]', '{"state": ["]]", "]"]}'],
  ] as const;
  for (const [text, wanted] of answers) {
    for (const length of [1, 2, 3, 7, 1_000])
      t.equal(await read(text, length), wanted, `${length} at a time`);
  }
});

t.test("what has no status before it, or no end, is refused", async (t) => {
  const wrong = ['{"a":1}', "[200]", "[200,", '[200,{"a":1}', "", `[${" ".repeat(100)}{}]`];
  for (const text of wrong) {
    for (const length of [1, 1_000]) await t.rejects(read(text, length), { name: "FederationError" }, text);
  }
});
