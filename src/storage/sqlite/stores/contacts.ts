import type {
  AddContactOutcome,
  Contact,
  ContactAddress,
  ContactBinding,
  ContactStore,
  ReplaceContactsOutcome,
} from "../../contacts.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

/** Far beyond what people have. */
const maxContacts = 50;
const maxBindings = 100;

const ownerQuery = "SELECT user_nid AS userNid FROM contacts WHERE medium = ? AND address = ?";
const listQuery = `SELECT medium, address, validated_ts AS validatedTs, added_ts AS addedTs FROM contacts
  WHERE user_nid = ? ORDER BY added_ts, medium, address`;
const bindingsQuery = `SELECT medium, address, identity_server AS identityServer FROM contact_bindings
  WHERE user_nid = ? ORDER BY medium, address, identity_server`;

/** The user whose address it is. */
export function contactOwner(db: Connection, { medium, address }: ContactAddress): number | undefined {
  return db.get<{ userNid: number }>(ownerQuery, medium, address)?.userNid;
}

/** Also part of the transaction that makes an account. */
export function addContact(db: Connection, userNid: number, contact: Contact): AddContactOutcome {
  const { medium, address, validatedTs, addedTs } = contact;
  const owner = contactOwner(db, contact);
  if (owner !== undefined && owner !== userNid) return "in-use";
  const counted = db.get<{ count: number }>(
    "SELECT count(*) AS count FROM contacts WHERE user_nid = ?",
    userNid,
  );
  if (owner === undefined && (counted?.count ?? 0) >= maxContacts) return "too-many";
  db.run(
    `INSERT INTO contacts (medium, address, user_nid, validated_ts, added_ts) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET validated_ts = excluded.validated_ts`,
    medium,
    address,
    userNid,
    validatedTs,
    addedTs,
  );
  return "added";
}

function replaceContacts(
  db: Connection,
  userNid: number,
  contacts: readonly Contact[],
): ReplaceContactsOutcome {
  if (contacts.length > maxContacts) return "too-many";
  const owners = contacts.map((contact) => contactOwner(db, contact));
  if (owners.some((owner) => owner !== undefined && owner !== userNid)) return "in-use";
  db.run(
    `DELETE FROM contacts WHERE user_nid = ? AND NOT EXISTS (SELECT 1 FROM json_each(?)
      WHERE value ->> 'medium' = medium AND value ->> 'address' = address)`,
    userNid,
    JSON.stringify(contacts),
  );
  contacts.forEach((contact, index) => {
    if (owners[index] === undefined) addContact(db, userNid, contact);
  });
  return "replaced";
}

function addBinding(db: Connection, userNid: number, binding: ContactBinding): boolean {
  const { medium, address, identityServer } = binding;
  const counted = db.get<{ count: number }>(
    "SELECT count(*) AS count FROM contact_bindings WHERE user_nid = ?",
    userNid,
  );
  if ((counted?.count ?? 0) >= maxBindings) return false;
  db.run(
    `INSERT INTO contact_bindings (user_nid, medium, address, identity_server) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
    userNid,
    medium,
    address,
    identityServer,
  );
  return true;
}

export const contactOperations: StoreOperations<ContactStore> = {
  ownerOf: point(contactOwner),
  list: point((db, userNid: number) => db.all<Contact>(listQuery, userNid)),
  add: write(({ db }, userNid: number, contact: Contact) => addContact(db, userNid, contact)),
  replace: write(({ db }, userNid: number, contacts: readonly Contact[]) =>
    replaceContacts(db, userNid, contacts),
  ),
  remove: write(({ db }, userNid: number, { medium, address }: ContactAddress) => {
    const removed = db.run(
      "DELETE FROM contacts WHERE medium = ? AND address = ? AND user_nid = ?",
      medium,
      address,
      userNid,
    );
    return removed > 0;
  }),
  bindings: point((db, userNid: number) => db.all<ContactBinding>(bindingsQuery, userNid)),
  addBinding: write(({ db }, userNid: number, binding: ContactBinding) => addBinding(db, userNid, binding)),
  removeBinding: write(({ db }, userNid: number, { medium, address, identityServer }: ContactBinding) => {
    db.run(
      `DELETE FROM contact_bindings WHERE user_nid = ? AND medium = ? AND address = ? AND identity_server = ?`,
      userNid,
      medium,
      address,
      identityServer,
    );
  }),
};
