/** How the tests of this folder read Kafka: through an I/O thread, or with TIDEMARK_THREADS=1 in this one. */
import { IoThread } from '../../src/io/io_thread.ts';
import { type KafkaAccess, kafkaHere } from '../../src/kafka/access.ts';

export interface TestAccess extends KafkaAccess {
  close(): Promise<void>;
}

export function kafkaAccess(): TestAccess {
  if (process.env.TIDEMARK_THREADS === '1') return { ...kafkaHere, close: () => Promise.resolve() };
  const io = new IoThread({
    log(level, message) {
      // What it says at its end.
      if (level === 'error' && message.includes('pages of memory')) throw new Error(message);
    },
    onFailure(error) {
      throw error;
    },
  });
  return { ...io.kafka, close: () => io.close() };
}
