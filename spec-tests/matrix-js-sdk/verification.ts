import {
  type ShowSasCallbacks,
  type VerificationRequest,
  VerificationPhase,
  type Verifier,
} from "matrix-js-sdk/lib/crypto-api/index.js";
import { patienceMs, until } from "../support/within.ts";
import type { SdkDevice } from "./sdk-device.ts";

/** What one side of a verification shows: seven emoji with their names. */
type Emoji = readonly (readonly [emoji: string, name: string])[];

/**
 * Two devices verify each other by comparing emoji (client-server API, "Short Authentication String verification").
 * @param request as the device that asked has it
 * @param asked the device that is asked, which accepts
 * @returns what the two have shown
 */
export async function compareEmoji(
  request: VerificationRequest,
  asked: SdkDevice,
): Promise<{ ours: Emoji; theirs: Emoji }> {
  const theirRequest = await until(patienceMs, `${asked.name} to be asked for a verification`, () =>
    asked.verificationRequests.find(({ transactionId }) => transactionId === request.transactionId),
  );
  await theirRequest.accept();
  await until(patienceMs, "the verification to be accepted", () => request.phase === VerificationPhase.Ready);
  const verifier = await request.startVerification("m.sas.v1");
  const done = verifier.verify();
  const theirVerifier = await until(patienceMs, "the verification to start", () => theirRequest.verifier);
  const theirsDone = theirVerifier.verify();
  const [ours, theirs] = await Promise.all([shown(verifier), shown(theirVerifier)]);
  await Promise.all([ours.confirm(), theirs.confirm()]);
  await Promise.all([done, theirsDone]);
  await until(patienceMs, "both to be done", () =>
    [request, theirRequest].every(({ phase }) => phase === VerificationPhase.Done),
  );
  return { ours: ours.sas.emoji ?? [], theirs: theirs.sas.emoji ?? [] };
}

function shown(verifier: Verifier): Promise<ShowSasCallbacks> {
  return until(patienceMs, `the emoji to be shown to ${verifier.userId}`, () =>
    verifier.getShowSasCallbacks(),
  );
}
