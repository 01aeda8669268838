/** Both sides of SCRAM agree, and with RFC 7677's example. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScramServer } from './scram.ts';
import { ScramClient } from './scram_client.ts';
import { keptPassword, parseVerifier, type Verifier } from './verifier.ts';

async function meet(password: string, known: string): Promise<boolean> {
  const client = new ScramClient(password);
  const server = new ScramServer(parseVerifier(keptPassword(known) as string) as Verifier);
  const last = server.last(await client.last(server.first(client.first())));
  if (last === null) return false;
  client.check(last);
  return true;
}

test('the right password comes in, others do not', async () => {
  assert.equal(await meet('pencil', 'pencil'), true);
  assert.equal(await meet('I\u00adX', 'IX'), true);
  assert.equal(await meet('p\u00e4ss wort', 'p\u00e4ss\u00a0wort'), true);
  assert.equal(await meet('pencil', 'Pencil'), false);
});

test('the proof and the signature of RFC 7677', async () => {
  const client = new ScramClient('pencil', 'rOprNGfwEbeRWgbNEkqO');
  assert.equal(client.first(), 'n,,n=,r=rOprNGfwEbeRWgbNEkqO');
  // The RFC's client says its name in the messages, PostgreSQL's do not: so the proof is another, its shape is not.
  const first = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
  assert.match(
    await client.last(first),
    /^c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj\)hNlF\$k0,p=[\w+/]{43}=$/,
  );
});

test('a server that is none is not believed', async () => {
  const client = new ScramClient('pencil');
  client.first();
  await assert.rejects(client.last('r=another,s=AAAA,i=4096'), { sqlstate: '08P01' });
  await assert.rejects(client.last('r=x'), { sqlstate: '08P01' });
  assert.throws(() => client.check('v=AAAA'), { sqlstate: '08P01' });
  const asked = new ScramClient('pencil', 'abc');
  await assert.rejects(asked.last('r=abcdef,s=AAAA,i=2000000000'), /malformed/);
});
