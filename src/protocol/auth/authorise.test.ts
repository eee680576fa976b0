import t from "tap";
import { ruleNumber } from "./rule-outline.ts";
import { createCases } from "./testing/create-cases.ts";
import { generalCases } from "./testing/general-cases.ts";
import { inviteCases } from "./testing/invite-cases.ts";
import { memberCases } from "./testing/member-cases.ts";
import { powerLevelCases } from "./testing/power-level-cases.ts";
import { judge } from "./testing/rule-cases.ts";
import { allVersions } from "./testing/test-event.ts";

const cases = [...createCases, ...generalCases, ...memberCases, ...inviteCases, ...powerLevelCases];

for (const version of allVersions) {
  t.test(`room version ${version.id}`, async (t) => {
    for (const { rule, about, versions, refused, allowed } of cases) {
      const number = ruleNumber(version, rule);
      if (number === undefined || (versions !== undefined && !versions(version))) continue;
      const name = `${number} ${rule}${about === undefined ? "" : `, ${about}`}`;
      const rejection = judge(version, refused);
      t.match(rejection, { rule, number, message: /^\S.*\.$/ }, `${name}: refuses`);
      t.equal(judge(version, allowed), undefined, `${name}: allows`);
    }
  });
}
