/** The rooms in which users get notices of the server: one for each user. A row goes with the user's account. */
export interface ServerNoticeStore {
  roomOf(userNid: number): Promise<number | undefined>;
  setRoom(userNid: number, roomNid: number): Promise<void>;
  isNoticeRoom(roomNid: number): Promise<boolean>;
}
