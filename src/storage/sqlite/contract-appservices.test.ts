import t from "tap";
import { appserviceStoreContract } from "../contract/appservices.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

appserviceStoreContract(t, freshDatabases(t.testdir()));
