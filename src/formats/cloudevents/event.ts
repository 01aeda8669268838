/**
 * One event, as CloudEvents 1.0 has it in a Kafka record.
 *
 *   structured   header content-type: application/cloudevents+json     the value is a JSON object: attributes, and data or data_base64
 *   binary       headers ce_id, ce_source, ...; content-type is the attribute datacontenttype     the value is the data
 *
 * Throws RowError for what is none.
 */
import { decodeString, type JsonNode, parseJson } from '../../../operators/expr/json/parse.ts';
import type { Header, RawBatch } from '../../sources/source.ts';
import { charactersOf, guarded, RowError, textOf } from '../row_error.ts';
import { DATA, REQUIRED } from './attributes.ts';

/** A value of JSON, which is a part of `text`. */
export interface JsonPart {
  node: JsonNode;
  text: string;
}

export interface CloudEvent {
  /** Undefined: it has none of this name. A text, or what it is in JSON. */
  attribute(name: string): string | JsonPart | undefined;
  /** Undefined: it says nothing. */
  data: JsonPart | Uint8Array | undefined;
}

const STRUCTURED = 'application/cloudevents';
const VERSION = '1.0';
const PREFIX = 'ce_';

/** Of record i. */
export function readEvent(raw: RawBatch, i: number): CloudEvent {
  const headers = new Map<string, Header>();
  for (const header of raw.headers(i)) headers.set(header.key, header);
  const start = raw.valueStart[i];
  // No bytes say nothing, as no value does.
  const value = start < 0 || raw.valueEnd[i] === start ? undefined : raw.bytes.subarray(start, raw.valueEnd[i]);
  const type = textOfHeader(headers.get('content-type'));
  const media = mediaType(type);
  if (!media.startsWith(STRUCTURED)) return binaryEvent(headers, type, value);
  if (media !== `${STRUCTURED}+json`) {
    throw new RowError('0A000', `events are read from application/cloudevents+json, not from ${media}`, null);
  }
  if (value === undefined) throw new RowError('22004', 'the record has no value', null);
  return structuredEvent(value);
}

/** Whether data of this type is JSON. */
export function isJsonType(contentType: string | undefined): boolean {
  const media = mediaType(contentType);
  return media === '' || media === 'application/json' || media === 'text/json' || media.endsWith('+json');
}

/** Without parameters. */
function mediaType(contentType = ''): string {
  return contentType.split(';', 1)[0].trim().toLowerCase();
}

function textOfHeader(header: Header | undefined): string | undefined {
  return header === undefined || header.value === null ? undefined : charactersOf(header.value, null);
}

function binaryEvent(headers: Map<string, Header>, type: string | undefined, data: Uint8Array | undefined): CloudEvent {
  if (!Array.from(headers.keys()).some((name) => name.startsWith(PREFIX))) {
    throw new RowError(
      '22023',
      'the message is no CloudEvent: its content-type is not application/cloudevents+json, and it has no headers ce_id, ce_source, ...',
      null,
    );
  }
  const attribute = (name: string) =>
    name === 'datacontenttype' ? type : textOfHeader(headers.get(`${PREFIX}${name}`));
  check(attribute);
  return { attribute, data };
}

function structuredEvent(value: Uint8Array): CloudEvent {
  const text = textOf(value);
  const node = guarded(null, () => parseJson(text));
  if (node.kind !== 'object') throw new RowError('22023', 'the event is no JSON object', null);
  const members = new Map<string, JsonNode>();
  for (const { key, value: member } of node.entries) {
    // What is null is not there.
    if (member.kind !== 'null')
      members.set(
        guarded(null, () => decodeString(key)),
        member,
      );
  }
  const attribute = (name: string): string | JsonPart | undefined => {
    const member = members.get(name);
    if (member === undefined) return undefined;
    return member.kind === 'string' ? guarded(name, () => decodeString(member)) : { node: member, text };
  };
  check(attribute);
  const [data, base64] = [members.get(DATA), attribute('data_base64')];
  if (base64 === undefined) return { attribute, data: data === undefined ? undefined : { node: data, text } };
  if (data !== undefined) throw new RowError('22023', 'the event has both data and data_base64', DATA);
  return { attribute, data: bytesOf(base64) };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

function bytesOf(base64: string | JsonPart): Uint8Array {
  if (typeof base64 !== 'string' || !BASE64.test(base64)) {
    throw new RowError('22P02', 'data_base64 of the event is not in base64', DATA);
  }
  return Buffer.from(base64, 'base64');
}

function check(attribute: CloudEvent['attribute']): void {
  for (const name of REQUIRED) {
    const value = attribute(name);
    if (typeof value !== 'string' || value === '') {
      throw new RowError('22023', `the event has no attribute "${name}", which each must have`, name);
    }
  }
  const version = attribute('specversion');
  if (version !== VERSION) {
    throw new RowError('0A000', `the event is one of CloudEvents ${version}, not ${VERSION}`, 'specversion');
  }
}
