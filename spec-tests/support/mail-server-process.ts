import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerError } from "smtp-server";

// A mail server as a process of its own: it takes e-mails from who signs in, and writes each to its standard output as a
// line of JSON. Recipients called "refused" it does not know; for "busy" it has time at the second attempt only.
// Arguments: the port, and a folder with key.pem and cert.pem.

const [, , port = "", folder = ""] = process.argv;
const attempts = new Map<string, number>();

function refusal(message: string, responseCode: number): SMTPServerError {
  return Object.assign(new Error(message), { responseCode });
}

const server = new SMTPServer({
  key: readFileSync(`${folder}/key.pem`),
  cert: readFileSync(`${folder}/cert.pem`),
  logger: false,
  onAuth({ username, password }, _session, done) {
    if (username === "hearth" && password === "mail secret") done(null, { user: username });
    else done(refusal("wrong name or password", 535));
  },
  onRcptTo({ address }, _session, done) {
    const attempt = (attempts.get(address) ?? 0) + 1;
    attempts.set(address, attempt);
    console.log(JSON.stringify({ recipient: address }));
    if (address.startsWith("refused@")) done(refusal(`<${address}> no such user`, 550));
    else if (address.startsWith("busy@") && attempt === 1) done(refusal("try again later", 451));
    else done();
  },
  onData(stream, { envelope, secure }, done) {
    const take = async () => {
      const message = await text(stream);
      const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
      console.log(
        JSON.stringify({ from, to: envelope.rcptTo.map(({ address }) => address), secure, message }),
      );
      done();
    };
    void take();
  },
});

server.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ isReady: true })));
