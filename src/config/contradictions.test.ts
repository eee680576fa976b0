import t from "tap";
import { ConfigError } from "./config-error.ts";
import { configFrom } from "./load.ts";

const from = "Example Chat <chat@example.org>";
const gateway_url = "https://sms.example.org/send";

function faults(values: object): string {
  try {
    configFrom(values, "/srv");
    return "";
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

t.test("addresses at registration, and invitations, need a way to write to them", async (t) => {
  t.match(faults({ registration: { email: "optional" } }), /registration\.email needs email\.from/);
  t.match(faults({ registration: { phone: "required" } }), /registration\.phone needs sms\.gateway_url/);
  t.match(
    faults({ third_party_invites: { by_email: true } }),
    /third_party_invites\.by_email needs email\.from/,
  );
  const registration = { email: "required", phone: "optional" };
  t.equal(faults({ registration, email: { from }, sms: { gateway_url } }), "");
});

t.test("senders, policies and languages have a form", async (t) => {
  for (const good of [from, "chat@example.org"]) t.equal(faults({ email: { from: good } }), "", good);
  for (const bad of ["chat", "Chat <chat>", "a@example.org\nBcc: b@example.org", "<a@b> c"]) {
    t.match(faults({ email: { from: bad } }), /email\.from has to be an e-mail address/, bad);
  }
  const terms = (changes: object, translation: object = {}) => {
    const english = { language: "en", name: "Terms", url: "https://example.org/terms.html", ...translation };
    return { registration: { terms: [{ id: "tos", version: "1.2", translations: [english], ...changes }] } };
  };
  t.equal(faults(terms({})), "");
  t.match(faults(terms({ id: "a b" })), /terms\[0\]\.id/);
  t.match(faults(terms({ version: "" })), /terms\[0\]\.version/);
  t.match(faults(terms({ translations: [] })), /translations/);
  t.match(faults(terms({}, { language: "english!" })), /translations\[0\]\.language/);
  t.match(faults(terms({}, { url: "ftp://example.org" })), /translations\[0\]\.url/);
});

t.test("the password of the mail server is not shown", async (t) => {
  const shown = faults({ email: { smtp: { password: 12345 } } });
  t.match(shown, /email\.smtp\.password/);
  t.notMatch(shown, /12345/);
});
