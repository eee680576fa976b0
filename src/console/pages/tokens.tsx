import { NumberInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { path } from "../api/matrix-api.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { useFormat } from "../parts/format.ts";
import { LoadedView } from "../parts/loaded-view.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";

interface RegistrationToken {
  readonly token: string;
  readonly uses_allowed: number | null;
  readonly completed: number;
  readonly expiry_time: number | null;
}

const base = "/_synapse/admin/v1/registration_tokens";
const dayMs = 24 * 60 * 60 * 1000;

export function TokensPage() {
  const { nav, tokens: texts } = useTexts();
  const session = useSession();
  const format = useFormat();
  const tokens = useLoaded(
    (signal) => session.get<{ registration_tokens: RegistrationToken[] }>(base, {}, signal),
    "tokens",
  );
  return (
    <PageFrame title={nav.tokens} actions={<CreateToken created={tokens.reload} />}>
      <Text>{texts.explanation}</Text>
      <LoadedView of={tokens}>
        {({ registration_tokens: rows }) => (
          <DataTable
            label={nav.tokens}
            rows={rows}
            keyOf={({ token }) => token}
            columns={[
              { title: texts.token, cell: ({ token }) => <code>{token}</code> },
              { title: texts.uses, isNumber: true, cell: ({ completed }) => format.number(completed) },
              {
                title: texts.allowed,
                isNumber: true,
                cell: ({ uses_allowed: allowed }) =>
                  allowed === null ? texts.unlimited : format.number(allowed),
              },
              {
                title: texts.expires,
                cell: ({ expiry_time: ts }) => (ts === null ? texts.never : format.time(ts)),
              },
              {
                title: texts.remove,
                cell: ({ token }) => (
                  <ConfirmButton
                    size="xs"
                    label={texts.remove}
                    explanation={texts.removeExplained}
                    done={texts.removed}
                    after={tokens.reload}
                    doIt={() => session.send("DELETE", `${base}/${path`${token}`}`)}
                  />
                ),
              },
            ]}
          />
        )}
      </LoadedView>
    </PageFrame>
  );
}

function CreateToken({ created }: { readonly created: () => void }) {
  const { tokens: texts } = useTexts();
  const session = useSession();
  const [own, setOwn] = useState("");
  const [uses, setUses] = useState<string | number>(1);
  const [days, setDays] = useState<string | number>(7);
  const create = () =>
    session.send("POST", `${base}/new`, {
      ...(own !== "" && { token: own }),
      uses_allowed: uses === "" ? null : Number(uses),
      expiry_time: days === "" ? null : Date.now() + Number(days) * dayMs,
    });
  return (
    <ConfirmButton
      variant="filled"
      label={texts.create}
      explanation={texts.explanation}
      done={texts.created}
      after={created}
      doIt={create}
    >
      <TextInput
        label={texts.own}
        value={own}
        onChange={({ currentTarget }) => setOwn(currentTarget.value)}
      />
      <NumberInput
        label={texts.allowed}
        placeholder={texts.unlimited}
        value={uses}
        onChange={setUses}
        min={0}
        allowDecimal={false}
      />
      <NumberInput
        label={texts.days}
        placeholder={texts.never}
        value={days}
        onChange={setDays}
        min={1}
        max={36_500}
        allowDecimal={false}
      />
    </ConfirmButton>
  );
}
