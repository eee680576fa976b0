import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

const noticeType = "m.server_notice";
const usageLimitType = "m.server_notice.usage_limit_reached";

/**
 * Checks a message as far as the module says what is in it (client-server API, "Server Notices"); ordinary messages can be
 * notices as well.
 * @throws MatrixError M_BAD_JSON
 */
export function checkNotice(content: JsonObject): void {
  if (content["msgtype"] !== noticeType) return;
  const needed =
    content["server_notice_type"] === usageLimitType
      ? ["body", "server_notice_type", "admin_contact", "limit_type"]
      : ["body", "server_notice_type"];
  for (const key of needed) {
    if (typeof content[key] === "string") continue;
    throw new MatrixError("M_BAD_JSON", `A message of the type ${noticeType} needs a text in ${key}`);
  }
}

/** Whether a notice is shown until it no longer holds: clients look for it among the pinned events. */
export function isLasting({ msgtype, server_notice_type: type }: JsonObject): boolean {
  return msgtype === noticeType && type === usageLimitType;
}
