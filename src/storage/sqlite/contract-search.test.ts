import t from "tap";
import { searchIndexContract } from "../contract/search-index.ts";
import { freshDatabases } from "./testing/fresh-databases.ts";

searchIndexContract(t, freshDatabases(t.testdir()));
