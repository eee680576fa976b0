import {
  Alert,
  Button,
  Container,
  Divider,
  Group,
  Paper,
  PasswordInput,
  Stack,
  TextInput,
  Title,
} from "@mantine/core";
import { type FormEvent, useEffect, useEffectEvent, useState } from "react";
import { wordsFor } from "../parts/errors.ts";
import { useLoaded } from "../parts/use-loaded.ts";
import { Preferences } from "../shell/preferences.tsx";
import { type Texts, useTexts } from "../texts/texts-context.ts";
import { NoAdministratorError, Session } from "./session.ts";
import { leaveForSignOn, type LoginFlow, loginFlows, type ReturnedSignOn } from "./sign-on.ts";

interface SignInProps {
  /** What the sign-on on another page has come back with. */
  readonly returned: ReturnedSignOn;
  readonly hasEnded: boolean;
  readonly begun: (session: Session) => void;
  readonly ended: () => void;
}

export function SignIn({ returned, hasEnded, begun, ended }: SignInProps) {
  const texts = useTexts();
  const token = typeof returned === "object" && !hasEnded ? returned.token : undefined;
  const [isBusy, setBusy] = useState(token !== undefined);
  const [problem, setProblem] = useState(returned === "unexpected" ? texts.signIn.unexpected : undefined);
  const flows = useLoaded(() => loginFlows(), "flows");
  const begin = async (credentials: object) => {
    try {
      begun(await Session.begin(credentials, ended));
    } catch (error) {
      setProblem(error instanceof NoAdministratorError ? texts.signIn.notAdmin : wordsFor(error, texts));
      setBusy(false);
    }
  };
  const signIn = (credentials: object) => {
    setBusy(true);
    setProblem(undefined);
    void begin(credentials);
  };
  const beginWith = useEffectEvent((loginToken: string) =>
    begin({ type: "m.login.token", token: loginToken }),
  );
  useEffect(() => {
    if (token !== undefined) void beginWith(token);
  }, [token]);
  useEffect(() => {
    document.title = texts.title;
  }, [texts]);
  const failure = problem ?? (flows.error === undefined ? undefined : wordsFor(flows.error, texts));
  return (
    <Container size={420} py="xl" component="main">
      <Stack>
        <Group justify="flex-end">
          <Preferences />
        </Group>
        <Paper withBorder p="xl" radius="md">
          <Stack>
            <Title order={1} size="h2">
              {texts.signIn.title}
            </Title>
            {failure === undefined && hasEnded && <Alert role="status">{texts.signIn.ended}</Alert>}
            {failure !== undefined && (
              <Alert color="red" role="alert">
                {failure}
              </Alert>
            )}
            <Ways flows={flows.data ?? []} isBusy={isBusy} signIn={signIn} />
          </Stack>
        </Paper>
      </Stack>
    </Container>
  );
}

interface WaysProps {
  readonly flows: readonly LoginFlow[];
  readonly isBusy: boolean;
  readonly signIn: (credentials: object) => void;
}

function Ways({ flows, isBusy, signIn }: WaysProps) {
  const { signIn: texts } = useTexts();
  const hasPassword = flows.some(({ type }) => type === "m.login.password");
  const sso = flows.find(({ type }) => type === "m.login.sso");
  return (
    <>
      {hasPassword && <PasswordForm isBusy={isBusy} signIn={signIn} />}
      {hasPassword && sso && <Divider label={texts.or} />}
      {sso && ssoButtons(sso, texts)}
      {flows.length > 0 && !hasPassword && !sso && <Alert>{texts.none}</Alert>}
    </>
  );
}

function PasswordForm({ isBusy, signIn }: Omit<WaysProps, "flows">) {
  const { signIn: texts } = useTexts();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const identifier = { type: "m.id.user", user: form.get("username") };
    signIn({ type: "m.login.password", identifier, password: form.get("password") });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          name="username"
          label={texts.username}
          autoComplete="username"
          required
          withAsterisk={false}
        />
        <PasswordInput
          name="password"
          label={texts.password}
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        <Button type="submit" loading={isBusy}>
          {texts.submit}
        </Button>
      </Stack>
    </form>
  );
}

function ssoButtons({ identity_providers: providers = [] }: LoginFlow, texts: Texts["signIn"]) {
  if (providers.length === 0) {
    return (
      <Button variant="default" onClick={() => leaveForSignOn()}>
        {texts.browser}
      </Button>
    );
  }
  return providers.map(({ id, name }) => (
    <Button key={id} variant="default" onClick={() => leaveForSignOn(id)}>
      {texts.provider(name)}
    </Button>
  ));
}
