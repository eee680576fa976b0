import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Records by name: addresses, SRV records, other names, failure, or silence. */
export interface DnsZone {
  readonly [name: string]: {
    readonly a?: readonly string[];
    /** Written in full: eight groups. */
    readonly aaaa?: readonly string[];
    readonly cname?: string;
    readonly srv?: readonly { priority?: number; weight?: number; port: number; target: string }[];
    readonly fails?: boolean;
    /** There is no answer at all. */
    readonly isSilent?: boolean;
    /** There is none to questions for addresses of IPv6. */
    readonly isSilentOnIpv6?: boolean;
  };
}

const types = { a: 1, cname: 5, aaaa: 28, srv: 33 } as const;
const codes = { ok: 0, serverFailure: 2, noSuchName: 3 } as const;

/** A name server on the loopback address, which knows of one zone. */
export class DnsServer implements AsyncDisposable {
  readonly #socket: Socket;
  /** May be changed while the server runs. */
  zone: DnsZone;
  /** What has been asked for, as `name type`. */
  readonly questions: string[] = [];

  private constructor(socket: Socket, zone: DnsZone) {
    this.#socket = socket;
    this.zone = zone;
    socket.on("message", (query, { address, port }) => {
      const answer = this.#answer(query);
      if (answer) socket.send(answer, port, address);
    });
  }

  static async open(zone: DnsZone): Promise<DnsServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new DnsServer(socket, zone);
  }

  /** As `Resolver.setServers` takes it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, "close");
  }

  #answer(query: Buffer): Buffer | undefined {
    const { name, type, end } = questionOf(query);
    this.questions.push(`${name} ${type}`);
    const known = this.zone[name.toLowerCase()];
    if (known?.isSilent || (known?.isSilentOnIpv6 && type === types.aaaa)) return undefined;
    const records = known ? this.#records(name, type) : [];
    const code = known?.fails ? codes.serverFailure : known ? codes.ok : codes.noSuchName;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, query.subarray(12, end), ...records]);
  }

  #records(name: string, type: number): Buffer[] {
    const { a = [], aaaa = [], cname, srv = [] } = this.zone[name.toLowerCase()] ?? {};
    if (cname !== undefined) {
      return [record(name, types.cname, encodeName(cname)), ...this.#records(cname, type)];
    }
    if (type === types.a) {
      return a.map((address) => record(name, types.a, Buffer.from(address.split(".").map(Number))));
    }
    if (type === types.aaaa) {
      const bytesOf = (address: string) => Buffer.from(address.replaceAll(":", ""), "hex");
      return aaaa.map((address) => record(name, types.aaaa, bytesOf(address)));
    }
    if (type !== types.srv) return [];
    return srv.map(({ priority = 0, weight = 0, port, target }) => {
      const numbers = Buffer.alloc(6);
      for (const [index, value] of [priority, weight, port].entries())
        numbers.writeUInt16BE(value, index * 2);
      return record(name, types.srv, Buffer.concat([numbers, encodeName(target)]));
    });
  }
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let offset = 12;
  for (let length = query.readUInt8(offset); length > 0; length = query.readUInt8(offset)) {
    labels.push(query.toString("latin1", offset + 1, offset + 1 + length));
    offset += length + 1;
  }
  return { name: labels.join("."), type: query.readUInt16BE(offset + 1), end: offset + 5 };
}

function encodeName(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  const encoded = labels.map((label) =>
    Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")]),
  );
  return Buffer.concat([...encoded, Buffer.of(0)]);
}

function record(name: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(60, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}
