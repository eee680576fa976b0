import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";

/** Copying less than this costs less than one more write to a socket. */
const sharedFromBytes = 4_096;

/** JSON that is already text, in pieces that are sent one after the other. */
export class JsonChunks {
  readonly chunks: readonly (string | Buffer)[];

  constructor(chunks: readonly (string | Buffer)[]) {
    this.chunks = chunks;
  }

  /**
   * The same text in few pieces: short ones are joined, long ones stay what they are, so that a block of JSON which many
   * answers share is never copied.
   */
  pieces(): (string | Buffer)[] {
    const pieces: (string | Buffer)[] = [];
    let text = "";
    for (const chunk of this.chunks) {
      if (typeof chunk === "string") {
        text += chunk;
      } else if (chunk.length < sharedFromBytes) {
        text += chunk.toString("utf8");
      } else {
        if (text !== "") pieces.push(Buffer.from(text));
        pieces.push(chunk);
        text = "";
      }
    }
    // Bytes to be put between others are written out once, and need not be measured first.
    if (text !== "") pieces.push(pieces.length === 0 ? text : Buffer.from(text));
    return pieces;
  }
}

/** A header with several values is sent as often, as `Set-Cookie` has to be. */
export type ReplyHeaders = Readonly<Record<string, string | string[]>>;

/** An answer other than 200 with a JSON body. */
export class Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: object | JsonChunks | Buffer | Readable | string | undefined;

  constructor(status: number, body: Reply["body"], headers: ReplyHeaders = {}) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** Leaves the answer to somebody else, who writes it to the response. */
export class HandedOver {
  readonly answer: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>;

  constructor(answer: HandedOver["answer"]) {
    this.answer = answer;
  }
}
