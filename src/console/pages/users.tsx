import { Anchor, Button, Group, Modal, NativeSelect, Stack, Switch, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { type FormEvent, useState } from "react";
import { listUsers, putUser, type UserFilter } from "../api/users.ts";
import { PagedTable } from "../parts/data-table.tsx";
import { useFormat } from "../parts/format.ts";
import { NewPasswordInput } from "../parts/new-password-input.tsx";
import { useAct } from "../parts/notices.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { usePages } from "../parts/use-pages.ts";
import { UserBadges } from "../parts/user-badges.tsx";
import { useSession } from "../session/session-context.ts";
import { linkTo } from "../shell/route.ts";
import { useTexts } from "../texts/texts-context.ts";

const filters: readonly UserFilter[] = ["active", "locked", "deactivated", "admins"];
const typingMs = 300;

export function UsersPage() {
  const { nav, users: texts } = useTexts();
  const session = useSession();
  const format = useFormat();
  const [name, setName] = useState("");
  const [filter, setFilter] = useState<UserFilter>("active");
  const [asked] = useDebouncedValue(name, typingMs);
  const pages = usePages(
    (from, signal) => listUsers(session, { name: asked, filter, from }, signal),
    `${filter} ${asked}`,
  );
  return (
    <PageFrame title={nav.users} actions={<CreateUser created={pages.reload} />}>
      <Group align="flex-end">
        <TextInput
          type="search"
          label={texts.search}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <NativeSelect
          label={texts.show}
          value={filter}
          data={filters.map((value) => ({ value, label: texts.filters[value] }))}
          onChange={({ currentTarget }) => setFilter(currentTarget.value as UserFilter)}
        />
      </Group>
      <PagedTable
        label={nav.users}
        pages={pages}
        keyOf={(user) => user.name}
        columns={[
          {
            title: texts.user,
            cell: (user) => <Anchor href={linkTo("users", user.name)}>{user.name}</Anchor>,
          },
          { title: texts.displayName, cell: (user) => user.displayname },
          { title: texts.state, cell: (user) => <UserBadges user={user} /> },
          { title: texts.createdAt, cell: (user) => format.time(user.creation_ts) },
          { title: texts.lastSeen, cell: (user) => format.time(user.last_seen_ts) },
        ]}
      />
    </PageFrame>
  );
}

function CreateUser({ created }: { readonly created: () => void }) {
  const { users: texts, common } = useTexts();
  const session = useSession();
  const { isBusy, run } = useAct();
  const [isOpen, { open, close }] = useDisclosure(false);
  const submit = async (form: FormData) => {
    const userId = `@${form.get("username") as string}:${session.serverName}`;
    const user = {
      displayname: form.get("displayname") || undefined,
      password: form.get("password"),
      admin: form.get("admin") !== null,
    };
    if (!(await run(() => putUser(session, userId, user), texts.created))) return;
    close();
    created();
  };
  return (
    <>
      <Button onClick={open}>{texts.create}</Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={texts.create}
        closeButtonProps={{ "aria-label": common.close }}
      >
        <form
          onSubmit={(event: FormEvent<HTMLFormElement>) => {
            event.preventDefault();
            void submit(new FormData(event.currentTarget));
          }}
        >
          <Stack>
            <TextInput name="username" label={texts.username} required autoComplete="off" data-autofocus />
            <TextInput name="displayname" label={texts.displayName} autoComplete="off" />
            <NewPasswordInput />
            <Switch name="admin" label={texts.admin} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {common.cancel}
              </Button>
              <Button type="submit" loading={isBusy}>
                {texts.create}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
