import t from "tap";
import { matchesEntityTag } from "./entity-tag.ts";

t.test("one of several tags, weak ones and any", (t) => {
  for (const header of ['"a"', 'W/"a"', '"b", "a"', '"b",W/"a"', "*"])
    t.ok(matchesEntityTag(header, '"a"'), header);
  for (const header of ["", "a", '"b"', '"aa"']) t.notOk(matchesEntityTag(header, '"a"'), header);
  t.notOk(matchesEntityTag(undefined, '"a"'));
  t.end();
});
