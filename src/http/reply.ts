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
   * The same text in few buffers: short pieces are joined, long ones stay what they are, so that a block of JSON which many
   * answers share is never copied.
   */
  toBuffers(): Buffer[] {
    const buffers: Buffer[] = [];
    let text = "";
    for (const chunk of this.chunks) {
      if (typeof chunk === "string") {
        text += chunk;
      } else if (chunk.length < sharedFromBytes) {
        text += chunk.toString("utf8");
      } else {
        if (text !== "") buffers.push(Buffer.from(text));
        buffers.push(chunk);
        text = "";
      }
    }
    if (text !== "") buffers.push(Buffer.from(text));
    return buffers;
  }
}

/** An answer other than 200 with a JSON body. */
export class Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object | JsonChunks | Buffer | Readable | string | undefined;

  constructor(status: number, body: Reply["body"], headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}
