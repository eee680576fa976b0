/** A message that has not been sent. Its text names hosts and answers, never addresses. */
export class DeliveryError extends Error {
  /** Another attempt would end the same way. */
  readonly isPermanent: boolean;

  constructor(message: string, isPermanent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeliveryError";
    this.isPermanent = isPermanent;
  }
}
