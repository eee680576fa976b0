import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { StorageError } from "../../storage/errors.ts";
import type { Logger } from "../../telemetry/log.ts";

/** Takes the EDUs of one type. What is wrong in one is passed over, as there is nobody to tell. */
export type EduReceiver = (origin: ServerName, content: JsonObject) => Promise<void>;

/** Hands EDUs to those who understand them (server-server API, "EDUs"). */
export class EduReceivers {
  readonly #byType: ReadonlyMap<string, EduReceiver>;
  readonly #log: Logger;

  constructor(byType: ReadonlyMap<string, EduReceiver>, log: Logger) {
    this.#byType = byType;
    this.#log = log;
  }

  /**
   * One after the other: some types count on their order. Unknown types are passed over.
   * @throws StorageError when the database takes nothing at the moment: the server has to send all of it again
   */
  async receive(origin: ServerName, edus: readonly JsonValue[]): Promise<void> {
    for (const edu of edus) {
      if (!isJsonObject(edu)) continue;
      const { edu_type: type, content } = edu;
      const receiver = typeof type === "string" ? this.#byType.get(type) : undefined;
      if (!receiver || !isJsonObject(content)) continue;
      try {
        await receiver(origin, content);
      } catch (error) {
        if (error instanceof StorageError && error.failure !== "failed") throw error;
        this.#log.error({ err: error, origin, type }, "an EDU could not be handled");
      }
    }
  }
}
