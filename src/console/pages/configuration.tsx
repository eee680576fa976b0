import { Alert, Code, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { type Configuration, getConfiguration } from "../api/operation.ts";
import { DataTable } from "../parts/data-table.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { Section } from "../parts/section.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { Mark } from "../parts/user-badges.tsx";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";

export function ConfigurationPage() {
  const { nav, config: texts } = useTexts();
  const session = useSession();
  const loaded = useLoaded((signal) => getConfiguration(session, signal), "configuration");
  return (
    <PageFrame title={nav.config}>
      <Text>{texts.explanation}</Text>
      <LoadedView of={loaded}>
        {(found) => (
          <Stack gap="lg">
            <Findings findings={found.findings} />
            <Keys keys={found.keys} />
          </Stack>
        )}
      </LoadedView>
    </PageFrame>
  );
}

function Findings({ findings }: Pick<Configuration, "findings">) {
  const { config: texts } = useTexts();
  return (
    <Section title={texts.findings}>
      {findings.length === 0 && <Alert color="teal">{texts.none}</Alert>}
      {findings.map(({ severity, key, text }) => (
        <Alert
          key={`${key} ${text}`}
          color={severity === "hint" ? "indigo" : "orange"}
          title={`${texts.severity[severity] ?? severity}: ${key}`}
        >
          {texts.known[`${key.replace(/\d+/, "")} ${severity}`] ?? text}
        </Alert>
      ))}
    </Section>
  );
}

function Keys({ keys }: Pick<Configuration, "keys">) {
  const { config: texts, nav } = useTexts();
  const [term, setTerm] = useState("");
  return (
    <Section title={texts.keys}>
      <TextInput
        type="search"
        label={texts.filter}
        value={term}
        onChange={({ currentTarget }) => setTerm(currentTarget.value)}
      />
      <DataTable
        label={nav.config}
        rows={keys.filter(({ key }) => key.includes(term.trim()))}
        keyOf={({ key }) => key}
        columns={[
          { title: texts.key, cell: ({ key }) => <Code>{key}</Code> },
          { title: texts.value, cell: ({ value }) => <Code>{JSON.stringify(value)}</Code> },
          {
            title: texts.isDefault,
            cell: ({ is_default: isDefault }) => isDefault && <Mark color="gray" text={texts.isDefault} />,
          },
        ]}
      />
    </Section>
  );
}
