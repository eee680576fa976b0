import { Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTexts } from "../texts/texts-context.ts";

const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const length = 16;

interface NewPasswordInputProps {
  readonly label?: string;
  readonly onChange?: (password: string) => void;
}

/** A password for somebody else: it can be read, and one can be made up. */
export function NewPasswordInput({ label, onChange }: NewPasswordInputProps) {
  const { users } = useTexts();
  const [password, setPassword] = useState("");
  const set = (next: string) => {
    setPassword(next);
    onChange?.(next);
  };
  return (
    <Group align="flex-end" wrap="nowrap">
      <TextInput
        flex={1}
        name="password"
        label={label ?? users.password}
        description={users.passwordHint}
        required
        autoComplete="off"
        spellCheck={false}
        value={password}
        onChange={({ currentTarget }) => set(currentTarget.value)}
      />
      <Button variant="default" onClick={() => set(randomPassword())}>
        {users.generate}
      </Button>
    </Group>
  );
}

function randomPassword(): string {
  // Bytes beyond the last whole round of letters would make the first ones likelier.
  const fair = 256 - (256 % letters.length);
  const bytes = [...crypto.getRandomValues(new Uint8Array(4 * length))].filter((byte) => byte < fair);
  return bytes
    .slice(0, length)
    .map((byte) => letters[byte % letters.length])
    .join("");
}
