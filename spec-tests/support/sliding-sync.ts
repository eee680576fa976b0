import type { TestClient } from "./client.ts";
import { type Json, type Query, queryOf, type TestEvent } from "./rooms.ts";

export const slidingSyncPath = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

/** A room's part of an answer. */
export interface SlidingRoom {
  readonly initial?: boolean;
  readonly membership: string;
  readonly name?: string;
  readonly avatar?: string;
  readonly heroes?: Json[];
  readonly is_dm: boolean;
  readonly lists?: string[];
  readonly bump_stamp: number;
  readonly joined_count?: number;
  readonly invited_count?: number;
  readonly notification_count?: number;
  readonly highlight_count?: number;
  readonly unstable_expanded_timeline?: boolean;
  readonly limited?: boolean;
  readonly prev_batch?: string;
  readonly num_live?: number;
  readonly invite_state?: TestEvent[];
  readonly required_state?: TestEvent[];
  readonly timeline?: TestEvent[];
}

export interface SlidingAnswer {
  readonly pos: string;
  readonly txn_id?: string;
  readonly lists: Record<string, { readonly count: number }>;
  readonly rooms: Record<string, SlidingRoom>;
  readonly extensions: Record<string, Json>;
}

/** @throws unless the answer is 200 */
export async function slidingSync(client: TestClient, body: Json, query: Query = {}): Promise<SlidingAnswer> {
  const answer = await client.post(slidingSyncPath + queryOf(query), body);
  if (answer.status === 200) return answer.body as unknown as SlidingAnswer;
  throw new Error(`sliding sync answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** The rules of one list. */
export function list(rules: Json = {}): Json {
  return { ranges: [[0, 19]], timeline_limit: 10, required_state: [], ...rules };
}

/** A body with one list by the name of "all". */
export function oneList(rules: Json = {}, further: Json = {}): Json {
  return { lists: { all: list(rules) }, ...further };
}

/** One connection, whose positions are kept. */
export class Connection {
  readonly client: TestClient;
  pos: string | undefined;

  constructor(client: TestClient) {
    this.client = client;
  }

  async sync(body: Json, timeout = 0): Promise<SlidingAnswer> {
    const answer = await slidingSync(this.client, body, { pos: this.pos, timeout });
    this.pos = answer.pos;
    return answer;
  }
}
