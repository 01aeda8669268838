/**
 * SIGTERM and SIGINT in the I/O thread. The main thread hears them when its turn is over; a tick of a source may take as long as it likes, and nobody takes that back. So when the main thread has not
 * begun to close after GRACE_MS, the process ends as it stands: all that was acknowledged is on the disk, and the next start goes on from there.
 *
 * Node lets workers hear no signals but by what process.on() itself is made of; where that is not to be had any more, only the main thread hears.
 */
const GRACE_MS = 5000;

const SIGNALS = { SIGINT: 2, SIGTERM: 15 };

interface SignalHandle {
  onsignal: () => void;
  start(signal: number): number;
  unref(): void;
}

export class EndSignals {
  #timer: NodeJS.Timeout | null = null;
  #closes = false;
  readonly #heard: () => void;
  readonly #say: (what: string) => void;

  /** `heard`: one has come. */
  constructor(heard: () => void, say: (what: string) => void) {
    this.#heard = heard;
    this.#say = say;
  }

  watch(): void {
    const Handle = handleClass();
    for (const [name, number] of Object.entries(Handle === null ? {} : SIGNALS)) {
      const handle = new (Handle as new () => SignalHandle)();
      handle.onsignal = () => this.#come(name);
      handle.unref();
      handle.start(number);
    }
  }

  /** The main thread is closing. */
  closing(): void {
    this.#closes = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #come(name: string): void {
    if (this.#closes || this.#timer !== null) return;
    this.#heard();
    this.#timer = setTimeout(() => {
      this.#say(`${name}: a tick has taken more than ${GRACE_MS / 1000} s since; ending without its end`);
      process.kill(process.pid, 'SIGKILL');
    }, GRACE_MS);
  }
}

function handleClass(): (new () => SignalHandle) | null {
  const { binding } = process as unknown as {
    binding?: (name: string) => { Signal?: new () => SignalHandle } | undefined;
  };
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    return binding?.('signal_wrap')?.Signal ?? null;
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}
