import { randomBytes } from "node:crypto";
import { anonymous, passwordAuth, type TestAnswer, type TestClient } from "./client.ts";
import { linkIn, type MailServer, type ReceivedMail } from "./mail-server.ts";
import type { TestServer } from "./server.ts";

const client = "/_matrix/client/v3";
export const confirmPath = "/_matrix/client/unstable/hearth/contacts/confirm";

/** For what an address is proved: the middle of the path, and its operation. */
export const emailRequests = {
  add: ["account/3pid", "requestTokenTo3PIDEmail"],
  register: ["register", "requestTokenToRegisterEmail"],
  password: ["account/password", "requestTokenToResetPasswordEmail"],
} as const;

export function newSecret(): string {
  return randomBytes(8).toString("hex");
}

export function requestEmail(
  server: TestServer,
  purpose: keyof typeof emailRequests,
  email: string,
  body: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<TestAnswer> {
  const [path, operationId] = emailRequests[purpose];
  const request = { email, client_secret: newSecret(), send_attempt: 1, ...body };
  return anonymous(server).call(
    operationId,
    "POST",
    `${client}/${path}/email/requestToken`,
    request,
    headers,
  );
}

/** Does what the page does that the link in an e-mail leads to. */
export function confirm(server: TestServer, mail: ReceivedMail): Promise<TestAnswer> {
  const { sid, token } = Object.fromEntries(linkIn(mail).searchParams);
  return anonymous(server).post(confirmPath, { sid, token });
}

/** Proves an e-mail address, as its owner does. */
export async function proveEmail(
  server: TestServer,
  mails: MailServer,
  purpose: keyof typeof emailRequests,
  email: string,
): Promise<{ sid: string; client_secret: string }> {
  const secret = newSecret();
  const before = mails.to(email).length;
  const { status, body } = await requestEmail(server, purpose, email, { client_secret: secret });
  if (status !== 200) throw new Error(`requestToken answered ${status}: ${JSON.stringify(body)}`);
  const confirmed = await confirm(server, await mails.mail(email, before + 1));
  if (confirmed.status !== 200) throw new Error(`confirming answered ${JSON.stringify(confirmed.body)}`);
  return { sid: String(body["sid"]), client_secret: secret };
}

/** Adds an e-mail address to a user's account. */
export async function addEmail(user: TestClient, mails: MailServer, email: string): Promise<void> {
  const credentials = await proveEmail(user.server, mails, "add", email);
  const body = { ...credentials, auth: passwordAuth(user) };
  const { status, body: answer } = await user.post(`${client}/account/3pid/add`, body, "add3PID");
  if (status !== 200) throw new Error(`add3PID answered ${status}: ${JSON.stringify(answer)}`);
}

export async function addressesOf(user: TestClient): Promise<unknown[]> {
  const { body } = await user.get(`${client}/account/3pid`, "getAccount3PIDs");
  return (body["threepids"] as { address: string }[]).map(({ address }) => address);
}
