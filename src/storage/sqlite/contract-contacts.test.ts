import t from "tap";
import { contactValidationStoreContract } from "../contract/contact-validations.ts";
import { contactStoreContract } from "../contract/contacts.ts";
import { serverNoticeStoreContract } from "../contract/server-notices.ts";
import { thirdPartyInviteStoreContract } from "../contract/third-party-invites.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

contactStoreContract(t, open);
contactValidationStoreContract(t, open);
thirdPartyInviteStoreContract(t, open);
serverNoticeStoreContract(t, open);
