import { stallsBench } from './index.ts';

await stallsBench({ only: process.argv.slice(2), json: false });
process.exit(0);
