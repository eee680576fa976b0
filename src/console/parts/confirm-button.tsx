import { Button, type ButtonProps, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useTexts } from "../texts/texts-context.ts";
import { useAct } from "./notices.tsx";

export interface ConfirmButtonProps extends Omit<ButtonProps, "onClick"> {
  readonly label: string;
  /** What happens, in a sentence or two. */
  readonly explanation: string;
  readonly done: string;
  readonly doIt: () => Promise<unknown>;
  readonly after?: (() => void) | undefined;
  /** What can be chosen before. */
  readonly children?: ReactNode;
  readonly isReady?: boolean;
}

/** A button for what has consequences: it says which, and asks. */
export function ConfirmButton(props: ConfirmButtonProps) {
  const { label, explanation, done, doIt, after, children, isReady = true, ...look } = props;
  const { common } = useTexts();
  const [isOpen, { open, close }] = useDisclosure(false);
  const { isBusy, run } = useAct();
  const confirm = async () => {
    if (!(await run(doIt, done))) return;
    close();
    after?.();
  };
  return (
    <>
      <Button variant="default" {...look} onClick={open}>
        {label}
      </Button>
      <Modal opened={isOpen} onClose={close} title={label} closeButtonProps={{ "aria-label": common.close }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void confirm();
          }}
        >
          <Stack>
            <Text>{explanation}</Text>
            {children}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {common.cancel}
              </Button>
              <Button type="submit" color={look.color ?? "indigo"} loading={isBusy} disabled={!isReady}>
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
