/** Who may have the server read and write its files: COPY as in PostgreSQL, and what options of connectors name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besidePglite } from './beside_pglite.ts';

const session = besidePglite();
const { same, outcomeHere } = session;

test('COPY with files of the server', async () => {
  await same(`
    CREATE ROLE copier
    CREATE TABLE copied (a int)
    GRANT ALL ON copied TO copier
    GRANT CREATE ON SCHEMA public TO copier
    SET ROLE copier
    COPY copied FROM '/tmp/tidemark-no-such-file'
    COPY copied TO '/tmp'
    RESET ROLE
    GRANT pg_read_server_files TO copier
    SET ROLE copier
    COPY copied FROM '/tmp/tidemark-no-such-file'
    COPY copied TO '/tmp'
    RESET ROLE
    GRANT pg_write_server_files TO copier
    REVOKE pg_read_server_files FROM copier
    SET ROLE copier
    COPY copied FROM '/tmp/tidemark-no-such-file'
    COPY copied TO 'relative'
    COPY copied TO '/tmp'
  `);
  const stream = await outcomeHere("CREATE STREAM archive (a int) WITH (connector = 'files', path = '/tmp/no-such-*')");
  assert.deepEqual(stream, { error: '42501 permission denied to read files of the server' });
  await same(`
    DROP TABLE copied
    DROP OWNED BY copier
    RESET ROLE
    DROP TABLE copied
    DROP OWNED BY copier
    DROP ROLE copier
  `);
});

test('files that options of connectors name', async () => {
  const wants = (option: string, file: string) => [
    `CREATE STREAM named (a int) WITH (connector = 'kafka', brokers = 'localhost:1', topic = 't', ${option} = '${file}')`,
    `CREATE TABLE named (a int PRIMARY KEY) WITH (connector = 'postgres', database = 'd', user = 'u', publication = 'p', table = 't', ${option} = '${file}')`,
    `CREATE SINK named FROM written WITH (connector = 'kafka', brokers = 'localhost:1', topic = 't', envelope = 'debezium', ${option} = '${file}')`,
  ];
  const ofRegistry = `CREATE STREAM named (a int) WITH (connector = 'kafka', brokers = 'localhost:1', topic = 't', format = 'avro',
    schema_registry = 'https://localhost:1', schema_registry_ssl_ca = '/etc/passwd')`;
  const statements = ['ssl_ca', 'ssl_cert', 'ssl_key'].flatMap((option) => [
    ...wants(option, '/etc/passwd'),
    ...wants(option, '/tmp/tidemark-no-such-file'),
  ]);
  for (const sql of [
    'CREATE ROLE streamer',
    'GRANT CREATE ON SCHEMA public TO streamer',
    'CREATE TABLE written (a int)',
    'GRANT SELECT ON written TO streamer',
    'SET ROLE streamer',
  ])
    assert.deepEqual(await outcomeHere(sql), { rows: [] }, sql);
  for (const sql of [...statements, ofRegistry]) {
    const refused = { error: '42501 permission denied to read files of the server' };
    assert.deepEqual(await outcomeHere(sql), refused, sql);
  }
  const missing = wants('ssl_ca', '/tmp/tidemark-no-such-file');
  await assert.rejects(session.here.query(missing[0]), {
    detail: 'Only roles with privileges of the "pg_read_server_files" role may read files of the server.',
    hint: 'Anyone can give the PEM text itself in place of the name of a file.',
  });
  // Text is no file: what fails is the connection.
  for (const sql of wants('ssl_ca', '-----BEGIN CERTIFICATE-----'))
    assert.doesNotMatch(JSON.stringify(await outcomeHere(sql)), /42501|58P01|"rows"/, sql);
  for (const sql of ['RESET ROLE', 'GRANT pg_read_server_files TO streamer', 'SET ROLE streamer'])
    assert.deepEqual(await outcomeHere(sql), { rows: [] }, sql);
  for (const sql of missing)
    assert.match(JSON.stringify(await outcomeHere(sql)), /58P01 could not read the file of option/, sql);
  for (const sql of ['RESET ROLE', 'DROP TABLE written', 'DROP OWNED BY streamer', 'DROP ROLE streamer'])
    assert.deepEqual(await outcomeHere(sql), { rows: [] }, sql);
});
