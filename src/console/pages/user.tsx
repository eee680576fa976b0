import { Group, Paper, Stack, Switch, Title } from "@mantine/core";
import { useState } from "react";
import { path } from "../api/matrix-api.ts";
import { getUser, putUser, type User } from "../api/users.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { Facts } from "../parts/facts.tsx";
import { useFormat } from "../parts/format.ts";
import { LoadedView } from "../parts/loaded-view.tsx";
import { NewPasswordInput } from "../parts/new-password-input.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { UserBadges } from "../parts/user-badges.tsx";
import { useSession } from "../session/session-context.ts";
import { linkTo } from "../shell/route.ts";
import { useTexts } from "../texts/texts-context.ts";

export function UserPage({ id }: { readonly id: string }) {
  const session = useSession();
  const loaded = useLoaded((signal) => getUser(session, id, signal), id);
  return (
    <PageFrame title={id} backTo={linkTo("users")}>
      <LoadedView of={loaded}>
        {(user) => (
          <Stack gap="lg">
            <UserFacts user={user} />
            {!user.deactivated && <UserActs user={user} changed={loaded.reload} />}
          </Stack>
        )}
      </LoadedView>
    </PageFrame>
  );
}

function UserFacts({ user }: { readonly user: User }) {
  const { users: texts } = useTexts();
  const format = useFormat();
  return (
    <Paper withBorder p="md">
      <Stack>
        <Title order={2} size="h4">
          {texts.facts}
        </Title>
        <Facts
          facts={[
            [texts.displayName, user.displayname],
            [texts.state, <UserBadges key="state" user={user} />],
            [texts.createdAt, format.time(user.creation_ts * 1000)],
            [texts.lastSeen, format.time(user.last_seen_ts)],
            [texts.contacts, user.threepids.map(({ address }) => address).join(", ")],
            [texts.external, user.external_ids.map((external) => external.auth_provider).join(", ")],
            [texts.appservice, user.appservice_id],
            [texts.type, user.user_type],
          ]}
        />
      </Stack>
    </Paper>
  );
}

interface ActsProps {
  readonly user: User;
  readonly changed: () => void;
}

function UserActs({ user, changed }: ActsProps) {
  const { users: texts } = useTexts();
  const session = useSession();
  const isSelf = user.name === session.userId;
  const told = { done: texts.saved, after: changed };
  const suspend = (isSuspended: boolean) =>
    session.send("PUT", path`/_synapse/admin/v1/suspend/${user.name}`, { suspend: isSuspended });
  return (
    <Paper withBorder p="md">
      <Stack>
        <Title order={2} size="h4">
          {texts.acts}
        </Title>
        <Group>
          <ResetPassword user={user} />
          {!isSelf && (
            <>
              <ConfirmButton
                {...told}
                label={user.suspended ? texts.unsuspend : texts.suspend}
                explanation={user.suspended ? texts.unsuspendExplained : texts.suspendExplained}
                doIt={() => suspend(!user.suspended)}
              />
              <ConfirmButton
                {...told}
                label={user.locked ? texts.unlock : texts.lock}
                explanation={user.locked ? texts.unlockExplained : texts.lockExplained}
                doIt={() => putUser(session, user.name, { locked: !user.locked })}
              />
              <ConfirmButton
                {...told}
                label={user.admin ? texts.unmakeAdmin : texts.makeAdmin}
                explanation={user.admin ? texts.unmakeAdminExplained : texts.makeAdminExplained}
                doIt={() => putUser(session, user.name, { admin: !user.admin })}
              />
              <Deactivate user={user} changed={changed} />
            </>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}

function ResetPassword({ user }: { readonly user: User }) {
  const { users: texts } = useTexts();
  const session = useSession();
  const [password, setPassword] = useState("");
  const [logsOut, setLogsOut] = useState(true);
  const body = { new_password: password, logout_devices: logsOut };
  return (
    <ConfirmButton
      label={texts.resetPassword}
      explanation={texts.resetExplained}
      done={texts.passwordReset}
      isReady={password !== ""}
      doIt={() => session.send("POST", path`/_synapse/admin/v1/reset_password/${user.name}`, body)}
    >
      <NewPasswordInput label={texts.newPassword} onChange={setPassword} />
      <Switch
        label={texts.logOutDevices}
        checked={logsOut}
        onChange={({ currentTarget }) => setLogsOut(currentTarget.checked)}
      />
    </ConfirmButton>
  );
}

function Deactivate({ user, changed }: ActsProps) {
  const { users: texts } = useTexts();
  const session = useSession();
  const [erases, setErases] = useState(false);
  return (
    <ConfirmButton
      color="red"
      variant="outline"
      label={texts.deactivate}
      explanation={texts.deactivateExplained}
      done={texts.saved}
      after={changed}
      doIt={() => session.send("POST", path`/_synapse/admin/v1/deactivate/${user.name}`, { erase: erases })}
    >
      <Switch
        label={texts.erase}
        checked={erases}
        onChange={({ currentTarget }) => setErases(currentTarget.checked)}
      />
    </ConfirmButton>
  );
}
