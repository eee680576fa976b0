import { Anchor, Group, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { listRooms, type RoomOrder, roomOrders } from "../api/rooms.ts";
import { PagedTable } from "../parts/data-table.tsx";
import { useFormat } from "../parts/format.ts";
import { PageFrame } from "../parts/page-frame.tsx";
import { usePages } from "../parts/use-pages.ts";
import { useSession } from "../session/session-context.ts";
import { linkTo } from "../shell/route.ts";
import { useTexts } from "../texts/texts-context.ts";

const typingMs = 300;

export function RoomsPage() {
  const { nav, rooms: texts, common } = useTexts();
  const session = useSession();
  const format = useFormat();
  const [term, setTerm] = useState("");
  const [order, setOrder] = useState<RoomOrder>("joined_members");
  const [asked] = useDebouncedValue(term, typingMs);
  const pages = usePages(
    (from, signal) => listRooms(session, { term: asked, order, from }, signal),
    `${order} ${asked}`,
  );
  return (
    <PageFrame title={nav.rooms}>
      <Group align="flex-end">
        <TextInput
          type="search"
          label={texts.search}
          value={term}
          onChange={({ currentTarget }) => setTerm(currentTarget.value)}
        />
        <NativeSelect
          label={texts.sort}
          value={order}
          data={roomOrders.map((value) => ({ value, label: texts.orders[value] }))}
          onChange={({ currentTarget }) => setOrder(currentTarget.value as RoomOrder)}
        />
      </Group>
      <PagedTable
        label={nav.rooms}
        pages={pages}
        keyOf={(room) => room.room_id}
        columns={[
          {
            title: texts.room,
            cell: (room) => (
              <Anchor href={linkTo("rooms", room.room_id)}>
                {room.name ?? room.canonical_alias ?? texts.noName}
              </Anchor>
            ),
          },
          { title: texts.id, cell: (room) => room.canonical_alias ?? room.room_id },
          { title: texts.members, isNumber: true, cell: (room) => format.number(room.joined_members) },
          { title: texts.local, isNumber: true, cell: (room) => format.number(room.joined_local_members) },
          { title: texts.stateEvents, isNumber: true, cell: (room) => format.number(room.state_events) },
          { title: texts.version, cell: (room) => room.version },
          { title: texts.encrypted, cell: (room) => (room.encryption === null ? common.no : common.yes) },
          { title: texts.visibility, cell: (room) => (room.public ? common.yes : common.no) },
        ]}
      />
    </PageFrame>
  );
}
