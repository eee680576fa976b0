import t from "tap";
import { configFrom } from "../config/load.ts";
import type { Flows } from "./interactive.ts";
import { registrationFlows } from "./registration-flows.ts";

const [email, phone, dummy] = ["m.login.email.identity", "m.login.msisdn", "m.login.dummy"];
const [token, terms] = ["m.login.registration_token", "m.login.terms"];
const translations = [{ language: "en", name: "Terms", url: "https://example.org/" }];
const reachable = { email: { from: "a@example.org" }, sms: { gateway_url: "https://sms.example.org" } };

function flows(registration: object): Flows {
  return registrationFlows(configFrom({ ...reachable, registration }, "/srv").registration);
}

t.test("one flow for what everybody has to do", async (t) => {
  t.strictSame(flows({ mode: "open" }), [[dummy]]);
  t.strictSame(flows({ mode: "token" }), [[token]]);
  t.strictSame(flows({ mode: "open", terms: [{ id: "tos", version: "1", translations }] }), [[terms]]);
  t.strictSame(flows({ mode: "token", email: "required", phone: "required" }), [[token, email, phone]]);
});

t.test("no flow is the beginning of another one", async (t) => {
  t.strictSame(flows({ mode: "open", email: "optional" }), [[email], [dummy]]);
  t.strictSame(flows({ mode: "token", email: "optional" }), [
    [token, email],
    [token, dummy],
  ]);
  t.strictSame(flows({ mode: "open", email: "optional", phone: "optional" }), [
    [email, phone],
    [email, dummy],
    [phone, dummy],
    [dummy],
  ]);
  t.strictSame(flows({ mode: "open", email: "required", phone: "optional" }), [
    [email, phone],
    [email, dummy],
  ]);
});
