import t from "tap";
import { callingCodes } from "./calling-codes.ts";
import { isMsisdn, parsePhoneNumber } from "./phone-number.ts";

t.test("numbers as they are dialled in their country", async (t) => {
  const cases: [string, string, string][] = [
    ["GB", "07700 900123", "447700900123"],
    ["GB", "+44 7700 900123", "447700900123"],
    ["DE", "0044 7700 900-123", "447700900123"],
    ["DE", "0171/1234567", "491711234567"],
    ["US", "(202) 555-0143", "12025550143"],
    ["US", "1-202-555-0143", "12025550143"],
    ["IT", "06 6982 1234", "390669821234"],
    ["CN", "138 0013 8000", "8613800138000"],
    ["RU", "8 (912) 345-67-89", "79123456789"],
    ["HU", "06 20 123 4567", "36201234567"],
    ["SG", "8123 4567", "6581234567"],
  ];
  for (const [country, text, msisdn] of cases) t.equal(parsePhoneNumber(country, text), msisdn, text);
});

t.test("what is no number", async (t) => {
  for (const text of ["", "12", "hello", "+", "+0123456789", "+1234567890123456", "12345678;ext=5"]) {
    t.equal(parsePhoneNumber("DE", text), undefined, text);
  }
  t.equal(parsePhoneNumber("XX", "0171 1234567"), undefined);
  t.equal(parsePhoneNumber("de", "0171 1234567"), undefined);
  t.equal(isMsisdn("+491711234567"), false);
  t.equal(isMsisdn("491711234567"), true);
});

t.test("every country is in the table once, with a code that no other one begins with", async (t) => {
  t.ok(callingCodes.size > 230);
  const codes = new Set([...callingCodes.values()].map(({ code }) => code));
  for (const code of codes) {
    const longer = [...codes].filter((other) => other !== code && other.startsWith(code));
    t.strictSame(longer, [], code);
  }
});
