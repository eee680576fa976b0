import { Group, NumberInput, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { path } from "../api/matrix-api.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { useSession } from "../session/session-context.ts";
import { useTexts } from "../texts/texts-context.ts";

interface RoomActsProps {
  readonly roomId: string;
  readonly isBlocked: boolean;
  readonly blockChanged: () => void;
  /** A job for the room has been begun. */
  readonly begun: () => void;
}

const dayMs = 24 * 60 * 60 * 1000;

export function RoomActs({ roomId, isBlocked, blockChanged, begun }: RoomActsProps) {
  const { rooms: texts } = useTexts();
  const session = useSession();
  return (
    <Group>
      <ConfirmButton
        label={isBlocked ? texts.unblock : texts.block}
        explanation={isBlocked ? texts.unblockExplained : texts.blockExplained}
        done={texts.changed}
        after={blockChanged}
        doIt={() =>
          session.send("PUT", path`/_synapse/admin/v1/rooms/${roomId}/block`, { block: !isBlocked })
        }
      />
      <ConfirmButton
        label={texts.makeAdmin}
        explanation={texts.makeAdminExplained}
        done={texts.changed}
        doIt={() => session.send("POST", path`/_synapse/admin/v1/rooms/${roomId}/make_room_admin`)}
      />
      <PurgeHistory roomId={roomId} begun={begun} />
      <DeleteRoom roomId={roomId} begun={begun} />
    </Group>
  );
}

type JobButtonProps = Pick<RoomActsProps, "roomId" | "begun">;

function PurgeHistory({ roomId, begun }: JobButtonProps) {
  const { rooms: texts } = useTexts();
  const session = useSession();
  const [days, setDays] = useState<string | number>(365);
  const [withLocal, setWithLocal] = useState(false);
  const purge = () =>
    session.send("POST", path`/_synapse/admin/v1/purge_history/${roomId}`, {
      purge_up_to_ts: Date.now() - Number(days) * dayMs,
      delete_local_events: withLocal,
    });
  return (
    <ConfirmButton
      label={texts.purge}
      explanation={texts.purgeExplained}
      done={texts.purgeBegun}
      after={begun}
      doIt={purge}
      isReady={days !== ""}
    >
      <NumberInput
        label={texts.purgeBefore}
        value={days}
        onChange={setDays}
        min={0}
        max={36_500}
        allowDecimal={false}
      />
      <Switch
        label={texts.purgeLocal}
        checked={withLocal}
        onChange={({ currentTarget }) => setWithLocal(currentTarget.checked)}
      />
    </ConfirmButton>
  );
}

function DeleteRoom({ roomId, begun }: JobButtonProps) {
  const { rooms: texts } = useTexts();
  const session = useSession();
  const [block, setBlock] = useState(false);
  const [purge, setPurge] = useState(true);
  const [message, setMessage] = useState("");
  const body = {
    block,
    purge,
    // Those who leave are told in a new room, which somebody has to be in.
    ...(message !== "" && { message, new_room_user_id: session.userId }),
  };
  return (
    <ConfirmButton
      color="red"
      variant="outline"
      label={texts.delete}
      explanation={texts.deleteExplained}
      done={texts.deleteBegun}
      after={begun}
      doIt={() => session.send("DELETE", path`/_synapse/admin/v2/rooms/${roomId}`, body)}
    >
      <Switch
        label={texts.deleteBlock}
        checked={block}
        onChange={({ currentTarget }) => setBlock(currentTarget.checked)}
      />
      <Switch
        label={texts.deletePurge}
        checked={purge}
        onChange={({ currentTarget }) => setPurge(currentTarget.checked)}
      />
      <TextInput
        label={texts.deleteMessage}
        value={message}
        onChange={({ currentTarget }) => setMessage(currentTarget.value)}
      />
    </ConfirmButton>
  );
}
