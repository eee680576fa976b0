import { Notification, Stack } from "@mantine/core";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { useTexts } from "../texts/texts-context.ts";
import { wordsFor } from "./errors.ts";

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

interface NoticeBoard {
  readonly tell: (text: string) => void;
  readonly complain: (error: unknown) => void;
}

const NoticeContext = createContext<NoticeBoard | undefined>(undefined);
const shownMs = 6_000;
const maxShown = 4;
let lastId = 0;

/** Says what has become of the user's acts, in a corner and to screen readers. What went wrong stays until it is closed. */
export function Notices({ children }: { readonly children: ReactNode }) {
  const texts = useTexts();
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const remove = useCallback(
    (id: number) => setNotices((before) => before.filter((notice) => notice.id !== id)),
    [],
  );
  const board = useMemo(() => {
    const add = (text: string, isError: boolean) => {
      const id = ++lastId;
      setNotices((before) => [...before, { id, text, isError }].slice(-maxShown));
      if (!isError) setTimeout(() => remove(id), shownMs);
    };
    return {
      tell: (text: string) => add(text, false),
      complain: (error: unknown) => add(wordsFor(error, texts), true),
    };
  }, [texts, remove]);
  return (
    <NoticeContext value={board}>
      {children}
      <Stack className="notices" aria-live="polite" role="status">
        {notices.map(({ id, text, isError }) => (
          <Notification
            key={id}
            color={isError ? "red" : "teal"}
            withBorder
            closeButtonProps={{ "aria-label": texts.common.close }}
            onClose={() => remove(id)}
          >
            {text}
          </Notification>
        ))}
      </Stack>
    </NoticeContext>
  );
}

function useNotices(): NoticeBoard {
  const board = useContext(NoticeContext);
  if (!board) throw new Error("There is nobody to tell notices");
  return board;
}

export interface Act {
  readonly isBusy: boolean;
  /** Does something, and says what has become of it. Resolves to whether it was done. */
  readonly run: (doIt: () => Promise<unknown>, done: string) => Promise<boolean>;
}

export function useAct(): Act {
  const { tell, complain } = useNotices();
  const [isBusy, setBusy] = useState(false);
  const run = async (doIt: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await doIt();
      tell(done);
      return true;
    } catch (error) {
      complain(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, run };
}
