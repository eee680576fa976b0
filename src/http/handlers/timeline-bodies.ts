import { MatrixError } from "../../protocol/matrix-error.ts";
import type { MessagesPage } from "../../services/reading/messages.ts";
import type { EventContext } from "../../services/reading/single-events.ts";
import type { StoredEvent } from "../../storage/events.ts";
import { parseStreamToken, streamToken } from "../../timeline/stream-token.ts";
import { JsonChunks } from "../reply.ts";

/** The answer to `/messages`. */
export function messagesBody({ chunk, state, start, end }: MessagesPage): JsonChunks {
  const endText = end === undefined ? "" : `,"end":"${streamToken(end)}"`;
  const stateText = state.length === 0 ? "" : `,"state":${jsonArray(state)}`;
  return new JsonChunks([
    `{"chunk":${jsonArray(chunk)},"start":"${streamToken(start)}"${endText}${stateText}}`,
  ]);
}

/** The answer to `/context`. @throws MatrixError M_NOT_FOUND where there is no event */
export function contextBody(context: EventContext | undefined): JsonChunks {
  if (!context) throw noSuchEvent();
  return new JsonChunks([
    `{"start":"${streamToken(context.start)}","end":"${streamToken(context.end)}","event":${context.event}`,
    `,"events_before":${jsonArray(context.before)},"events_after":${jsonArray(context.after)}`,
    `,"state":${jsonArray(context.state)}}`,
  ]);
}

/** The answer to `/timestamp_to_event`. @throws MatrixError M_NOT_FOUND where there is no event */
export function closestEventBody(event: StoredEvent | undefined): object {
  if (!event) throw new MatrixError("M_NOT_FOUND", "There is no event on that side of the time given");
  return { event_id: event.eventId, origin_server_ts: event.originServerTs };
}

/**
 * The position of a token in a query.
 * @param name the parameter's
 * @throws MatrixError M_INVALID_PARAM
 */
export function positionFrom(token: string | undefined, name: string): number | undefined {
  return token === undefined ? undefined : parseStreamToken(token, name);
}

export function jsonArray(texts: readonly string[]): string {
  return `[${texts.join(",")}]`;
}

export function noSuchEvent(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "There is no such event in this room that you may see");
}
