import t from "tap";
import { configFrom } from "../../config/load.ts";
import { PasswordPolicy } from "./new-password.ts";

function judge(passwords: object, password: string): string {
  try {
    new PasswordPolicy(configFrom({ passwords }, "/srv").passwords).check(password);
    return "good";
  } catch (error) {
    return String((error as { errcode?: string }).errcode);
  }
}

t.test("passwords have a length", async (t) => {
  t.equal(judge({}, "1234567"), "M_WEAK_PASSWORD");
  t.equal(judge({}, "12345678"), "good");
  t.equal(judge({}, "🔑🔑🔑🔑"), "M_WEAK_PASSWORD", "in characters, not in UTF-16 units");
  t.equal(judge({ min_length: 12 }, "12345678901"), "M_WEAK_PASSWORD");
  t.equal(judge({}, "x".repeat(513)), "M_INVALID_PARAM");
});

t.test("and what else the operator asks for", async (t) => {
  const cases: [string, string, string][] = [
    ["require_digit", "password", "passw0rd"],
    ["require_symbol", "passw0rd", "pass w0rd"],
    ["require_lower_case", "PASSWORD", "PASSWoRD"],
    ["require_upper_case", "password", "passwÖrd"],
  ];
  for (const [key, weak, good] of cases) {
    t.equal(judge({ [key]: true }, weak), "M_WEAK_PASSWORD", key);
    t.equal(judge({ [key]: true }, good), "good", key);
    t.equal(judge({}, weak), "good");
  }
});
