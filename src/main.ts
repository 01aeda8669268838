/**
 * The `tidemark` command. What takes its time in other threads, the I/O thread and the compilation of the SQL parser, is started before the rest
 * of the program is loaded.
 */
import { isMainThread } from 'node:worker_threads';
import { initParser } from '../planner/parse/pg_parser.ts';
import { HELP, parseCommand, UsageError } from './cli/arguments.ts';
import { failureText } from './cli/failure.ts';
import { type StartedWorker, startWorker } from './io/start_worker.ts';
import { version } from './version.ts';

function startThreads(): StartedWorker {
  // Who needs the parser awaits it again, and then hears of a failure.
  initParser().catch(() => undefined);
  const started = startWorker();
  // Until the server has it, it keeps nothing alive.
  started.worker.unref();
  return started;
}

async function main(args: string[]): Promise<void> {
  try {
    const command = parseCommand(args);
    switch (command.k) {
      case 'help':
        process.stdout.write(HELP);
        return;
      case 'version':
        process.stdout.write(`tidemark ${version()}\n`);
        return;
      case 'doctor':
        return await (await import('./cli/doctor.ts')).doctor(command.path);
      case 'backup':
        return await (await import('./cli/backup.ts')).backup(command.from, command.to);
      case 'start': {
        const worker = startThreads();
        return await (await import('./cli/start.ts')).start(command.options, version(), worker);
      }
      case 'demo': {
        const worker = startThreads();
        return await (await import('./cli/demo.ts')).demo(command.options, version(), worker);
      }
    }
  } catch (error) {
    const usage = error instanceof UsageError;
    process.stderr.write(failureText(error));
    if (usage) process.stderr.write("Try 'tidemark --help'.\n");
    else if (process.env.TIDEMARK_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = usage ? 2 : 1;
  }
}

// No await: the built form is a script, not a module.
if (isMainThread) void main(process.argv.slice(2));
else void import('./embed/host.ts').then(({ serve }) => serve());
