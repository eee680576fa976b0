import * as api from "../../api/client/contacts.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import { contactOf } from "../../auth/user-identifier.ts";
import type { Contacts } from "../../services/contacts/contacts.ts";
import type { ValidationCredentials } from "../../services/contacts/contact-validations.ts";
import type { Contact } from "../../storage/contacts.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Adding Account Administrative Contact Information". */
export function contactHandlers(contacts: Contacts, interactive: InteractiveAuth): BoundEndpoint[] {
  const add = async (request: ConfirmedRequest, credentials: ValidationCredentials) => {
    contacts.checkChangeable();
    await contacts.checkProven(credentials);
    await interactive.confirmIdentity(request);
    await contacts.add(request.requester, credentials);
    return {};
  };
  return [
    handler(api.getAccount3PIDs, async ({ requester }) => ({
      threepids: (await contacts.list(requester)).map(contactJson),
    })),
    handler(api.add3PID, (request) => add(request, credentialsOf(request.body))),
    // Whoever has an access token only must not be able to have the password reset to an address of their own.
    handler(api.post3PIDs, (request) => add(request, credentialsOf(request.body.three_pid_creds))),
    handler(api.delete3pidFromAccount, async ({ requester, body }) => ({
      id_server_unbind_result: await contacts.remove(
        requester,
        contactOf(body.medium, body.address),
        body.id_server,
      ),
    })),
    handler(api.bind3PID, async ({ requester, body }) => {
      const access = { identityServer: body.id_server, accessToken: body.id_access_token };
      await contacts.bind(requester, access, credentialsOf(body));
      return {};
    }),
    handler(api.unbind3pidFromAccount, async ({ requester, body }) => ({
      id_server_unbind_result: await contacts.unbind(
        requester,
        contactOf(body.medium, body.address),
        body.id_server,
      ),
    })),
  ];
}

type ConfirmedRequest = Parameters<InteractiveAuth["confirmIdentity"]>[0];

function credentialsOf(json: {
  readonly sid: string;
  readonly client_secret: string;
}): ValidationCredentials {
  return { sid: json.sid, clientSecret: json.client_secret };
}

function contactJson({ medium, address, validatedTs, addedTs }: Contact): object {
  return { medium, address, validated_at: validatedTs, added_at: addedTs };
}
