/** What a copy asks while it goes on: of a session its Cancellation, elsewhere nothing. */
export interface CopyWait {
  /** Throws when the statement is to end. */
  check(): void;
  wait<T>(promise: Promise<T>): Promise<T>;
}
