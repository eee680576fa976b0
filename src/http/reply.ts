import type { Readable } from "node:stream";

/** JSON that is already text, in pieces that are sent one after the other. */
export class JsonChunks {
  readonly chunks: readonly (string | Buffer)[];

  constructor(chunks: readonly (string | Buffer)[]) {
    this.chunks = chunks;
  }

  toBuffer(): Buffer {
    return Buffer.concat(
      this.chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk) : chunk)),
    );
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
