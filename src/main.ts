/** The `tidemark` command. */
import { readFileSync } from 'node:fs';
import { HELP, parseCommand, UsageError } from './cli/arguments.ts';
import { demo } from './cli/demo.ts';
import { doctor } from './cli/doctor.ts';
import { start } from './cli/start.ts';

/** Version of this package. */
export function version(): string {
  for (const up of ['..', '../..']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(`${up}/package.json`, import.meta.url), 'utf8'));
      if (name === 'tidemark') return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('package.json of tidemark not found');
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
        return await doctor(command.path);
      case 'start':
        return await start(command.options, version());
      case 'demo':
        return await demo(command.options, version());
    }
  } catch (error) {
    const usage = error instanceof UsageError;
    process.stderr.write(`tidemark: ${error instanceof Error ? error.message : String(error)}\n`);
    if (usage) process.stderr.write("Try 'tidemark --help'.\n");
    else if (process.env.TIDEMARK_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = usage ? 2 : 1;
  }
}

await main(process.argv.slice(2));
