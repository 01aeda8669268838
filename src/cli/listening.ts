/** An address that the server cannot listen on: for whom it was wanted, why not, and what to do. */
import { SqlError } from '../../operators/errors.ts';

const HINTS: Record<string, string> = {
  EADDRINUSE: 'Another process listens there: end it, or give another port (0: any free one).',
  EACCES: 'Ports below 1024 often need rights of their own: give another one.',
  EADDRNOTAVAIL: 'This machine has no such address; 0.0.0.0 and :: are all that it has.',
  ENOTFOUND: 'No address is known for that name.',
};

class ListenError extends SqlError {
  /** As the system names it. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super('58030', message, { hint: HINTS[code ?? ''] });
    this.code = code;
  }
}

export async function listening<T>(
  whom: string,
  { host, port }: { host: string; port: number },
  server: Promise<T>,
): Promise<T> {
  try {
    return await server;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ListenError(`cannot listen on ${host}:${port} for ${whom}: ${message}`, code);
  }
}
