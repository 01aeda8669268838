/** A reader that remembers the schema of the message before reads what one without memory reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../../operators/errors.ts';
import { Random, testSeed } from '../../../operators/testing/property.ts';
import { RowError } from '../row_error.ts';
import { EnvelopeReader } from './envelope.ts';

/** What it says of a message: its rows and the meaning of their fields. */
function said(reader: EnvelopeReader, message: string): unknown {
  try {
    const event = reader.read(Buffer.from(message));
    if (event === null) return null;
    const { text, op, before, after, ours } = event;
    const shown = [before, after].map((image) => image && [text.slice(image.node.start, image.node.end), image.schema]);
    return { op, ours, shown };
  } catch (error) {
    if (error instanceof RowError || error instanceof SqlError) return `${error.sqlstate} ${error.message}`;
    throw error;
  }
}

const schemaOf = (type: string) =>
  `{"type":"struct","fields":[{"field":"after","type":"struct","fields":[{"field":"é","type":"${type}"}]}]}`;
const PAYLOADS = [
  '{"after":{"é":1},"op":"c"}',
  '{"before":{"é":2},"op":"d","source":{}}',
  '{"after":{"é":"}"},"op":"u","tick":1}',
  'null',
  '1',
  '[]',
  '{}',
];
const FORMS = [
  (schema: string, payload: string) => `{"schema":${schema},"payload":${payload}}`,
  (schema: string, payload: string) => `{"payload":${payload},"schema":${schema}}`,
  (schema: string, payload: string) => `{"schema":${schema},"payload":${payload},"payload":{"after":{"é":9},"op":"c"}}`,
  (schema: string, payload: string) => `{"schema":${schema},"payload":${payload},"more":{}}`,
  (schema: string, payload: string) => `{"schema":${schema},"payload":${payload}} \n`,
  (schema: string, payload: string) => `{"schema":${schema},"payload":${payload}}}`,
  (_schema: string, payload: string) => payload,
];

test('messages with the schema of the one before, another one, none, and damaged ones', () => {
  const random = new Random(testSeed());
  const reader = new EnvelopeReader();
  let errors = 0;
  for (let round = 0; round < 5000; round++) {
    const schema = schemaOf(['int32', 'string'][random.below(10) === 0 ? 1 : 0]);
    let message = FORMS[random.below(2) * random.below(FORMS.length)](schema, PAYLOADS[random.below(PAYLOADS.length)]);
    if (random.below(4) === 0) {
      const at = random.below(message.length);
      message =
        message.slice(0, at) + ['', '"', '}', '{', ',', 'é'][random.below(6)] + message.slice(at + random.below(2));
    }
    const expected = said(new EnvelopeReader(), message);
    assert.deepEqual(said(reader, message), expected, message);
    if (typeof expected === 'string') errors++;
  }
  assert.ok(errors > 500 && errors < 4500);
});

test('what is too deep with its schema is so after another message, too', () => {
  const nested = (depth: number) => `{"after":{"é":${'['.repeat(depth)}${']'.repeat(depth)}},"op":"c"}`;
  const reader = new EnvelopeReader();
  said(reader, FORMS[0](schemaOf('string'), PAYLOADS[0]));
  for (const depth of [400, 499, 500, 996, 997, 998, 999, 1000, 1001]) {
    const message = FORMS[0](schemaOf('string'), nested(depth));
    const expected = said(new EnvelopeReader(), message);
    assert.equal(typeof expected, depth > 997 ? 'string' : 'object', String(depth));
    assert.deepEqual(said(reader, message), expected);
  }
});
