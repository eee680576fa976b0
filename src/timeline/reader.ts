/** Who reads a room, as far as it changes what they get. */
export interface Reader {
  readonly userNid: number;
  readonly userId: string;
  /** Events that this device has sent carry its transaction IDs. */
  readonly deviceId: string;
  /** Users whose events the reader does not want to see. */
  readonly ignored: ReadonlySet<number>;
}
