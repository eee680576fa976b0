import { Writable } from "node:stream";
import { type Terminal, UsageError } from "./command.ts";

const maxPasswordBytes = 4096;

/**
 * The password that is piped in: everything on standard input, without the line end that `echo` adds.
 * @throws UsageError when there is none, or more than 4096 bytes
 */
export async function readPassword({ input }: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    sizeBytes += bytes.length;
    if (sizeBytes > maxPasswordBytes)
      throw new UsageError(`A password has at most ${maxPasswordBytes} bytes.`);
  }
  const password = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("Standard input had no password.");
  return password;
}

/**
 * Asks for a new password twice, without showing it.
 * @throws UsageError when standard input is no terminal, the answers differ, or the user gives up
 */
export async function askPassword({ input, errors }: Terminal): Promise<string> {
  if (!input.isTTY) {
    throw new UsageError("There is no terminal to ask for a password: pipe it in and add --password-stdin.");
  }
  // Loaded only here: the server asks nobody.
  const { createInterface } = await import("node:readline");
  const invisible = new Writable({ write: (_chunk, _encoding, done) => done() });
  const editor = createInterface({ input, output: invisible, terminal: true });
  const lines = editor[Symbol.asyncIterator]();
  const ask = async (question: string) => {
    errors.write(question);
    const line = await lines.next();
    errors.write("\n");
    // Ctrl-C and Ctrl-D end the input.
    if (line.done) throw new UsageError("No password was given, so nothing was done.");
    return line.value;
  };
  try {
    const password = await ask("Password: ");
    if (password === "") throw new UsageError("The password is empty.");
    if (password !== (await ask("The same again: "))) throw new UsageError("The two passwords differ.");
    return password;
  } finally {
    editor.close();
  }
}
