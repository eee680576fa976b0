import { Badge, Group } from "@mantine/core";
import { useTexts } from "../texts/texts-context.ts";

interface UserState {
  readonly admin: boolean;
  readonly locked: boolean;
  readonly deactivated: boolean;
  readonly is_guest: boolean;
  readonly suspended?: boolean;
}

export function UserBadges({ user }: { readonly user: UserState }) {
  const { states } = useTexts().users;
  const marks = [
    user.admin && <Mark key="admin" color="indigo" text={states.admin} />,
    user.is_guest && <Mark key="guest" color="gray" text={states.guest} />,
    user.locked && <Mark key="locked" color="orange" text={states.locked} />,
    user.suspended === true && <Mark key="suspended" color="orange" text={states.suspended} />,
    user.deactivated && <Mark key="deactivated" color="red" text={states.deactivated} />,
  ].filter((mark) => mark !== false);
  return <Group gap="xs">{marks.length > 0 ? marks : <Mark color="teal" text={states.active} />}</Group>;
}

export function Mark({ color, text }: { readonly color: string; readonly text: string }) {
  return (
    <Badge color={color} variant="light" className="mark" tt="none">
      {text}
    </Badge>
  );
}
