import { CompiledSchema } from "../../schema/compiled-schema.ts";
import { Type } from "../../schema/type.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

/** Results are narrowed down to those of one room or one sender. */
export interface SearchScope {
  readonly key: "room_id" | "sender";
  readonly value: string;
}

/** From where a search goes on: within a stretch of positions of which some results have been given. */
export interface SearchPoint {
  readonly order: "recent" | "rank";
  readonly upTo: number;
  /** The end of the stretch; absent when it goes on to the oldest messages. */
  readonly downTo?: number;
  /** The last result given of the stretch; absent when there is none. */
  readonly after?: { readonly score: number; readonly position: number };
  readonly scope?: SearchScope;
  /** What the first page said. */
  readonly count: number;
}

const position = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
const tokens = new CompiledSchema(
  Type.Object({
    order: Type.Enum(["recent", "rank"]),
    upTo: position,
    downTo: Type.Optional(position),
    after: Type.Optional(Type.Object({ score: Type.Number(), position })),
    scope: Type.Optional(Type.Object({ key: Type.Enum(["room_id", "sender"]), value: Type.String() })),
    count: Type.Integer({ minimum: 0 }),
  }),
);

export function searchToken(point: SearchPoint): string {
  return Buffer.from(JSON.stringify(point)).toString("base64url");
}

/**
 * Nothing is to be gained by making one up: what somebody may see is looked at anew for each page.
 * @throws MatrixError M_INVALID_PARAM for a token that is none of ours, or of a search in another order
 */
export function parseSearchToken(token: string, order: SearchPoint["order"]): SearchPoint {
  const point = jsonOf(Buffer.from(token, "base64url").toString());
  if (tokens.accepts(point) && point.order === order) return point;
  throw new MatrixError(
    "M_INVALID_PARAM",
    "next_batch is not a token that this search has given: send it with the same request",
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
