import { Anchor, Text } from "@mantine/core";
import { type Appservice, listAppservices } from "../api/operation.ts";
import { DataTable } from "../parts/data-table.tsx";
import { useFormat } from "../parts/format.ts";
import { LoadedView } from "../parts/loaded-view.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { Mark } from "../parts/user-badges.tsx";
import { useSession } from "../session/session-context.ts";
import { linkTo } from "../shell/route.ts";
import { useTexts } from "../texts/texts-context.ts";

const everyMs = 10_000;

export function AppservicesPage() {
  const { nav, appservices: texts, common } = useTexts();
  const session = useSession();
  const format = useFormat();
  const loaded = useLoaded((signal) => listAppservices(session, signal), "appservices", everyMs);
  return (
    <PageFrame title={nav.appservices}>
      <Text>{texts.explanation}</Text>
      <LoadedView of={loaded}>
        {(rows) => (
          <DataTable
            label={nav.appservices}
            rows={rows}
            keyOf={({ id }) => id}
            empty={texts.none}
            columns={[
              { title: texts.id, cell: ({ id }) => id },
              { title: texts.state, cell: (appservice) => <State appservice={appservice} /> },
              { title: texts.url, cell: ({ url }) => url ?? "–" },
              {
                title: texts.sender,
                cell: ({ sender }) => <Anchor href={linkTo("users", sender)}>{sender}</Anchor>,
              },
              { title: texts.protocols, cell: ({ protocols }) => protocols.join(", ") },
              { title: texts.limited, cell: (row) => (row.rate_limited ? common.yes : common.no) },
              {
                title: texts.queue,
                isNumber: true,
                cell: ({ behind }) => (behind === null ? "–" : format.number(behind)),
              },
            ]}
          />
        )}
      </LoadedView>
    </PageFrame>
  );
}

function State({ appservice }: { readonly appservice: Appservice }) {
  const { appservices: texts } = useTexts();
  const format = useFormat();
  const { failing_since_ts: since, last_error: error } = appservice;
  if (since === null) return <Mark color="teal" text={texts.up} />;
  return (
    <>
      <Mark color="red" text={texts.down} />
      <Text size="sm">
        {format.time(since)} {error}
      </Text>
    </>
  );
}
