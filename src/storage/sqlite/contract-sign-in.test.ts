import t from "tap";
import {
  browserSessionStoreContract,
  externalIdStoreContract,
  oauthSessionStoreContract,
  oauthStoreContract,
} from "../contract/sign-in.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

const open = freshDatabases(t.testdir());

externalIdStoreContract(t, open);
browserSessionStoreContract(t, open);
oauthStoreContract(t, open);
oauthSessionStoreContract(t, open);
