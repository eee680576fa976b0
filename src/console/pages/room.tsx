import { Alert, Anchor, Paper, Stack, Tabs } from "@mantine/core";
import { useState } from "react";
import { listJobs } from "../api/jobs.ts";
import { getRoom, isBlocked, type Room, roomMembers, roomState, type StateEvent } from "../api/rooms.ts";
import { DataTable } from "../parts/data-table.tsx";
import { Facts } from "../parts/facts.tsx";
import { useFormat } from "../parts/format.ts";
import { JobList } from "../parts/job-list.tsx";
import { JsonView } from "../parts/json-view.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { PageFrame } from "../parts/page-frame.tsx";
import { useLoaded } from "../parts/use-loaded.ts";
import { usePages } from "../parts/use-pages.ts";
import { useSession } from "../session/session-context.ts";
import { linkTo } from "../shell/route.ts";
import { useTexts } from "../texts/texts-context.ts";
import { RoomActs } from "./room-acts.tsx";

const jobsEveryMs = 2_000;
/** A browser draws no more rows at once in good time. */
const shownRows = 1_000;

export function RoomPage({ id }: { readonly id: string }) {
  const { rooms: texts, nav } = useTexts();
  const session = useSession();
  const [tab, setTab] = useState<string | null>("details");
  const room = useLoaded((signal) => getRoom(session, id, signal), id);
  const block = useLoaded((signal) => isBlocked(session, id, signal), id);
  const jobs = usePages(
    (from, signal) => listJobs(session, { subject: id, from }, signal),
    id,
    tab === "jobs" ? jobsEveryMs : undefined,
  );
  const begun = () => {
    setTab("jobs");
    jobs.reload();
  };
  return (
    <PageFrame title={room.data?.name ?? id} backTo={linkTo("rooms")}>
      {block.data === true && <Alert color="orange">{texts.blocked}</Alert>}
      <Paper withBorder p="md">
        <RoomActs roomId={id} isBlocked={block.data ?? false} blockChanged={block.reload} begun={begun} />
      </Paper>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="details">{texts.details}</Tabs.Tab>
          <Tabs.Tab value="members">{texts.members}</Tabs.Tab>
          <Tabs.Tab value="state">{texts.state}</Tabs.Tab>
          <Tabs.Tab value="jobs">{nav.jobs}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="details" pt="md">
          <LoadedView of={room}>{(found) => <RoomFacts room={found} />}</LoadedView>
        </Tabs.Panel>
        <Tabs.Panel value="members" pt="md">
          <Members roomId={id} />
        </Tabs.Panel>
        <Tabs.Panel value="state" pt="md">
          <State roomId={id} />
        </Tabs.Panel>
        <Tabs.Panel value="jobs" pt="md">
          <Stack>
            <JobList pages={jobs} />
          </Stack>
        </Tabs.Panel>
      </Tabs>
    </PageFrame>
  );
}

function RoomFacts({ room }: { readonly room: Room }) {
  const { rooms: texts, common } = useTexts();
  const format = useFormat();
  const yes = (is: boolean) => (is ? common.yes : common.no);
  return (
    <Facts
      facts={[
        [texts.id, room.room_id],
        [texts.alias, room.canonical_alias],
        [texts.topic, room.topic],
        [texts.members, format.number(room.joined_members)],
        [texts.local, format.number(room.joined_local_members)],
        [texts.stateEvents, format.number(room.state_events)],
        [texts.version, room.version],
        [texts.creator, room.creator],
        [texts.encrypted, room.encryption ?? common.no],
        [texts.visibility, yes(room.public)],
        [texts.federated, yes(room.federatable)],
        [texts.joinRule, room.join_rules],
        [texts.history, room.history_visibility],
        [texts.guests, room.guest_access],
      ]}
    />
  );
}

function Members({ roomId }: { readonly roomId: string }) {
  const { rooms: texts, users } = useTexts();
  const session = useSession();
  const members = useLoaded((signal) => roomMembers(session, roomId, signal), roomId);
  return (
    <LoadedView of={members}>
      {(userIds) => (
        <DataTable
          label={texts.members}
          rows={userIds.slice(0, shownRows)}
          keyOf={(userId) => userId}
          columns={[
            {
              title: users.user,
              cell: (userId) =>
                userId.endsWith(`:${session.serverName}`) ? (
                  <Anchor href={linkTo("users", userId)}>{userId}</Anchor>
                ) : (
                  userId
                ),
            },
          ]}
        />
      )}
    </LoadedView>
  );
}

function State({ roomId }: { readonly roomId: string }) {
  const { rooms: texts } = useTexts();
  const session = useSession();
  const state = useLoaded((signal) => roomState(session, roomId, signal), roomId);
  return (
    <LoadedView of={state}>
      {(events) => (
        <DataTable<StateEvent>
          label={texts.state}
          rows={events.slice(0, shownRows)}
          keyOf={(event) => event.event_id}
          columns={[
            { title: texts.stateType, cell: (event) => event.type },
            { title: texts.stateKey, cell: (event) => event.state_key },
            { title: texts.sender, cell: (event) => event.sender },
            {
              title: texts.content,
              cell: (event) => <JsonView label={`${texts.content} ${event.type}`} value={event.content} />,
            },
          ]}
        />
      )}
    </LoadedView>
  );
}
