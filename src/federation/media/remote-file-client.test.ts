import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import { RemoteFileError } from "../../services/media/remote-files.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { type FederationClient, FederationError } from "../federation-client.ts";
import { HeardServers } from "../heard-servers.ts";
import { RemoteFileClient } from "./remote-file-client.ts";

const away = "a.test" as ServerName;

/** A client whose requests to one server fail, and that gets a file from all others. */
function setUp() {
  const clock = new ManualClock();
  const heard = new HeardServers();
  const asked: string[] = [];
  const body = "--x\r\n\r\n{}\r\n--x\r\nContent-Type: image/png\r\n\r\nbytes\r\n--x--\r\n";
  const client: Pick<FederationClient, "stream"> = {
    async stream({ destination, uri }, read) {
      asked.push(`${destination} ${uri.split("/").at(-1)?.split("?")[0]}`);
      if (destination === away) throw new FederationError("unreachable", "no connection");
      const chunks = (async function* () {
        yield Buffer.from(body);
      })();
      return read({ headers: { "content-type": "multipart/mixed; boundary=x" }, body: chunks });
    },
  };
  const http = { stream: () => Promise.reject(new Error("no file is elsewhere")) };
  const files = new RemoteFileClient({ client, http, clock, heard });
  const fetch = async (server: string, mediaId: string) => {
    try {
      return await files.fetch(server as ServerName, mediaId, 1_000, async ({ bytes }) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of bytes) chunks.push(chunk);
        return Buffer.concat(chunks).toString();
      });
    } catch (error) {
      return error instanceof RemoteFileError ? error.failure : error;
    }
  };
  return { clock, heard, asked, fetch };
}

t.test("a server that cannot be reached is left alone for moments, whichever file it is about", async (t) => {
  const { clock, asked, fetch } = setUp();
  t.equal(await fetch(away, "one"), "unreachable");
  t.equal(await fetch(away, "another"), "unreachable");
  t.equal(await fetch("b.test", "another"), "bytes", "other servers are asked");
  t.strictSame(asked, ["a.test one", "b.test another"]);
  clock.advance(15_000);
  t.equal(await fetch(away, "another"), "unreachable");
  t.strictSame(asked, ["a.test one", "b.test another", "a.test another"]);
});

t.test("it is asked again as soon as it has been heard of", async (t) => {
  const { heard, asked, fetch } = setUp();
  t.equal(await fetch(away, "one"), "unreachable");
  heard.tell(away);
  t.equal(await fetch(away, "one"), "unreachable");
  t.strictSame(asked, ["a.test one", "a.test one"]);
});
