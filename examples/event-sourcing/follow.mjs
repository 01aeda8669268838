/**
 * An application that does something once for each account that becomes overdrawn, whatever is killed when: it writes a letter.
 *
 *   node examples/event-sourcing/follow.mjs letters.json [postgres://127.0.0.1:7432]        (needs: npm install pg)
 *
 * What it has done and the tick up to which it has done it are one file, replaced as a whole; a real application has both in one transaction of
 * its database. Behind that tick it goes on: nothing is left out, nothing comes twice.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import pg from 'pg';

const [file, url = 'postgres://tidemark@127.0.0.1:7432/tidemark'] = process.argv.slice(2);
const done = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { tick: null, letters: [] };

const client = new pg.Client(url);
await client.connect();
if (done.tick !== null) await client.query(`ACKNOWLEDGE overdrawn_changes UP TO ${done.tick}`);

/** Changes of the tick that has not come whole yet. */
let changes = [];
for (;;) {
  const { rows } = await client.query("FETCH 100 FROM overdrawn_changes WITH (timeout = '10 seconds')");
  for (const row of rows) {
    if (row.progress) commit(row.tick);
    else changes.push(row);
  }
  if (done.tick !== null) await client.query(`ACKNOWLEDGE overdrawn_changes UP TO ${done.tick}`);
}

function commit(tick) {
  // A row of before with another balance: the account was overdrawn already.
  const before = new Set(changes.filter(({ diff }) => diff < 0).map(({ account }) => account));
  for (const { diff, account, owner, balance } of changes)
    if (diff > 0 && !before.has(account)) done.letters.push({ tick, account, owner, balance });
  changes = [];
  done.tick = tick;
  writeFileSync(`${file}.new`, JSON.stringify(done));
  renameSync(`${file}.new`, file);
}
