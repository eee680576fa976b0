import type { Config } from "../config/schema.ts";
import { contactStageTypes } from "./contact-stages.ts";
import type { Flows } from "./interactive.ts";
import { dummyStage } from "./stages.ts";

type Policy = Config["registration"];

/** What people do to register, each flow being enough (client-server API, "Account registration"). */
export function registrationFlows({ mode, terms, email, phone }: Policy): Flows {
  const always = [
    ...(mode === "token" ? ["m.login.registration_token"] : []),
    ...(terms.length > 0 ? ["m.login.terms"] : []),
  ];
  const choices: (readonly string[])[] = choicesOf(email, contactStageTypes.email).flatMap((first) =>
    choicesOf(phone, contactStageTypes.msisdn).map((second) => [...first, ...second]),
  );
  const longest = Math.max(...choices.map(({ length }) => length));
  return choices.map((chosen) => {
    const stages = [...always, ...chosen];
    // A flow that another one goes on from would be over before the other one's turn ("Dummy Auth").
    const isBegun = chosen.length < longest && stages.length > 0;
    return stages.length === 0 || isBegun ? [...stages, dummyStage.type] : stages;
  });
}

function choicesOf(wish: Policy["email"], stage: string): (readonly string[])[] {
  if (wish === "off") return [[]];
  return wish === "required" ? [[stage]] : [[stage], []];
}
