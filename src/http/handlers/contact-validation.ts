import * as api from "../../api/client/contact-validation.ts";
import { contactOf } from "../../auth/user-identifier.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { parsePhoneNumber } from "../../protocol/phone-number.ts";
import type { ContactValidations } from "../../services/contacts/contact-validations.ts";
import type { ValidationPurpose } from "../../storage/contact-validations.ts";
import type { ContactAddress } from "../../storage/contacts.ts";
import { contactConfirmationPage } from "../pages/contact-confirmation.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { RequestContext } from "../request.ts";

export interface ContactValidationHandling {
  readonly validations: ContactValidations;
  /** The language of messages to somebody, by their `Accept-Language`. */
  readonly languageFor: (acceptLanguage: string | undefined) => string;
  readonly isRegistrationOpen: boolean;
  readonly publicBaseUrl: string;
}

interface RequestJson {
  readonly client_secret: string;
  readonly send_attempt: number;
  readonly next_link?: string;
}

/** Client-server API, `requestToken`: proving that an e-mail address or telephone number is one's own. */
export function contactValidationHandlers(parts: ContactValidationHandling): BoundEndpoint[] {
  const { validations, publicBaseUrl } = parts;
  const submitUrl = `${publicBaseUrl}${api.submitContactToken.path}`;
  const begin = (
    purpose: ValidationPurpose,
    contact: ContactAddress,
    body: RequestJson,
    context: RequestContext,
  ) =>
    validations.begin({
      purpose,
      contact,
      clientSecret: body.client_secret,
      sendAttempt: body.send_attempt,
      nextLink: body.next_link,
      language: parts.languageFor(context.incoming.headers["accept-language"]),
      clientAddress: context.address,
    });
  const byEmail =
    (purpose: ValidationPurpose) =>
    async ({ body, context }: { body: RequestJson & { email: string }; context: RequestContext }) => {
      if (purpose === "register") checkOpen(parts);
      return { sid: await begin(purpose, contactOf("email", body.email), body, context) };
    };
  const byPhone =
    (purpose: ValidationPurpose) =>
    async ({ body, context }: { body: RequestJson & PhoneJson; context: RequestContext }) => {
      if (purpose === "register") checkOpen(parts);
      return { sid: await begin(purpose, phoneOf(body), body, context), submit_url: submitUrl };
    };
  return [
    handler(api.requestTokenTo3PIDEmail, byEmail("add")),
    handler(api.requestTokenToRegisterEmail, byEmail("register")),
    handler(api.requestTokenToResetPasswordEmail, byEmail("password")),
    handler(api.requestTokenTo3PIDMSISDN, byPhone("add")),
    handler(api.requestTokenToRegisterMSISDN, byPhone("register")),
    handler(api.requestTokenToResetPasswordMSISDN, byPhone("password")),
    ...confirmationHandlers(validations),
  ];
}

function confirmationHandlers(validations: ContactValidations): BoundEndpoint[] {
  return [
    handler(api.getContactConfirmation, async ({ context }) =>
      contactConfirmationPage(context.incoming.headers["accept-language"]),
    ),
    handler(api.submitContactToken, async ({ body }) => {
      const nextLink = await validations.submit(body.sid, body.token, body.client_secret);
      return { success: true, ...(nextLink !== null && { next_link: nextLink }) };
    }),
  ];
}

interface PhoneJson {
  readonly country: string;
  readonly phone_number: string;
}

function phoneOf({ country, phone_number: number }: PhoneJson): ContactAddress {
  const msisdn = parsePhoneNumber(country, number);
  if (msisdn !== undefined) return { medium: "msisdn", address: msisdn };
  throw new MatrixError(
    "M_INVALID_PARAM",
    "country has to be two capital letters such as GB, and phone_number one that can be dialled there",
  );
}

function checkOpen({ isRegistrationOpen }: ContactValidationHandling): void {
  if (isRegistrationOpen) return;
  throw new MatrixError("M_FORBIDDEN", "Registration is closed: ask an administrator for an account");
}
