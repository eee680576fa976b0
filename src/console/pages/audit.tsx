import { Alert, Button, Group, Modal, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { PagedTable } from "../parts/data-table.tsx";
import { useFormat } from "../parts/format.ts";
import { JsonView } from "../parts/json-view.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { usePages } from "../parts/use-pages.ts";
import { Mark } from "../parts/user-badges.tsx";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";

interface AuditedAct {
  readonly id: number;
  readonly ts: number;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly request: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly error?: unknown;
}

const typingMs = 300;
const colours: Readonly<Record<string, string>> = { done: "teal", refused: "red", begun: "orange" };

export function AuditPage() {
  const { nav, audit: texts } = useTexts();
  const session = useSession();
  const format = useFormat();
  const [wish, setWish] = useState({ actor: "", action: "", target: "" });
  const [asked] = useDebouncedValue(wish, typingMs);
  const [shown, setShown] = useState<AuditedAct>();
  const pages = usePages(async (from, signal) => {
    const { acts, next_token: next } = await session.get<{ acts: AuditedAct[]; next_token?: string }>(
      "/_hearth/admin/v1/audit_log",
      { ...asked, from, limit: 50 },
      signal,
    );
    return { rows: acts, next };
  }, JSON.stringify(asked));
  return (
    <PageFrame title={nav.audit} actions={<LogCheck />}>
      <Text>{texts.explanation}</Text>
      <Group>
        {(["actor", "action", "target"] as const).map((key) => (
          <TextInput
            key={key}
            type="search"
            label={texts[key]}
            value={wish[key]}
            onChange={({ currentTarget: { value } }) => setWish((before) => ({ ...before, [key]: value }))}
          />
        ))}
      </Group>
      <PagedTable
        label={nav.audit}
        pages={pages}
        keyOf={({ id }) => String(id)}
        columns={[
          { title: texts.time, cell: ({ ts }) => format.time(ts) },
          { title: texts.actor, cell: ({ actor }) => actor },
          { title: texts.action, cell: ({ action }) => action },
          { title: texts.target, cell: ({ target }) => target },
          { title: texts.address, cell: ({ address }) => address },
          {
            title: texts.outcome,
            cell: ({ outcome }) => (
              <Mark color={colours[outcome] ?? "gray"} text={texts.outcomes[outcome] ?? outcome} />
            ),
          },
          {
            title: texts.details,
            cell: (act) => (
              <Button size="xs" variant="default" onClick={() => setShown(act)}>
                {texts.show}
              </Button>
            ),
          },
        ]}
      />
      <ActDetails act={shown} close={() => setShown(undefined)} />
    </PageFrame>
  );
}

function ActDetails({ act, close }: { readonly act: AuditedAct | undefined; readonly close: () => void }) {
  const { audit: texts, common, jobs } = useTexts();
  const parts = act && [
    { title: texts.request, value: act.request },
    { title: texts.before, value: act.before },
    { title: texts.after, value: act.after },
    { title: jobs.error, value: act.error },
  ];
  return (
    <Modal
      opened={act !== undefined}
      onClose={close}
      title={act && `${act.action} ${act.target}`}
      size="lg"
      closeButtonProps={{ "aria-label": common.close }}
    >
      <Stack>
        {parts
          ?.filter(({ value }) => value !== undefined && value !== null)
          .map(({ title, value }) => (
            <Stack key={title} gap="xs">
              <Title order={3} size="h5">
                {title}
              </Title>
              <JsonView label={title} value={value} />
            </Stack>
          ))}
      </Stack>
    </Modal>
  );
}

function LogCheck() {
  const { audit: texts } = useTexts();
  const [isAsked, setAsked] = useState(false);
  if (isAsked) return <CheckOutcome />;
  return (
    <Button variant="default" onClick={() => setAsked(true)}>
      {texts.check}
    </Button>
  );
}

function CheckOutcome() {
  const { audit: texts } = useTexts();
  const session = useSession();
  const check = useLoaded(
    (signal) =>
      session.get<{ entries: number; is_whole: boolean; first_wrong: number | null }>(
        "/_hearth/admin/v1/audit_log/check",
        {},
        signal,
      ),
    "check",
  );
  return (
    <LoadedView of={check}>
      {({ entries, is_whole: isWhole, first_wrong: firstWrong }) => (
        <Alert color={isWhole ? "teal" : "red"} role="status">
          {isWhole ? texts.whole(entries) : texts.broken(firstWrong ?? 0)}
        </Alert>
      )}
    </LoadedView>
  );
}
