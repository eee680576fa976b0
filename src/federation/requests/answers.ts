import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { FederationError } from "../federation-client.ts";

/** @throws FederationError for an answer that is no object */
export function objectOf(answer: JsonValue): JsonObject {
  if (isJsonObject(answer)) return answer;
  throw wrongAnswer("no object");
}

/** What is thrown for an answer that others would not give. */
export function wrongAnswer(what: string): FederationError {
  return new FederationError("unreachable", `The server's answer is not what was asked for: ${what}.`);
}
