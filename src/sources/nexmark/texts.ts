/**
 * The characters that generated texts are made of, once a process, in the shared memory: rows point into it instead of copying.
 *
 *   letters  1 MiB of a-z                   names of e-mail users, `extra`
 *   words    1 MiB of a-z, 1 in 13 a space  item names and descriptions (slices are trimmed)
 *   urls     one for each of 4 hot and 10,000 other channels; 9 in 10 of the others carry a channel_id
 *
 * A generated text is a slice at a random place of these, so texts longer than a few letters hardly ever repeat, but they share
 * pieces: a compressor with a window above 1 MiB finds more than it would in fresh random letters.
 */
import { Arena } from '../../../operators/batch/arena.ts';
import { BYTES, U8 } from '../../../operators/batch/memory.ts';
import { Random } from './random.ts';

const POOL = 1 << 20;
const CHANNELS = 10_000;
const TEXT_SEED = 20040101;

const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];
const FIRST_NAMES = ['Ada', 'Blaise', 'Carl', 'Dana', 'Edgar', 'Frances', 'Grace', 'Hedy', 'Ivan', 'Joan', 'Kurt'];
const LAST_NAMES = ['Archer', 'Baker', 'Cooper', 'Dyer', 'Fletcher', 'Glover', 'Mason', 'Sawyer', 'Turner'];
const CITIES = [
  'Phoenix',
  'Tucson',
  'Sacramento',
  'San Diego',
  'Boise',
  'Salem',
  'Eugene',
  'Spokane',
  'Tacoma',
  'Cheyenne',
];
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];

/** Addresses and lengths of equal index. */
export interface TextTable {
  address: Uint32Array;
  length: Uint32Array;
}

export interface Texts {
  letters: number;
  words: number;
  names: TextTable;
  cities: TextTable;
  states: TextTable;
  /** 0..3 the hot ones, then channel-0 .. channel-9999. */
  channels: TextTable;
  urls: TextTable;
}

export const HOT_CHANNEL_COUNT = HOT_CHANNELS.length;
export const OTHER_CHANNEL_COUNT = CHANNELS;

let made: Texts | undefined;

export function texts(): Texts {
  made ??= make();
  return made;
}

/** A place in a pool where a slice of up to `longest` bytes fits. */
export function slicePlace(random: Random, longest: number): number {
  return random.below(POOL - longest);
}

function make(): Texts {
  const arena = new Arena();
  const random = new Random();
  random.start(TEXT_SEED, 0);
  const letters = arena.alloc(POOL);
  for (let i = 0; i < POOL; i++) U8[letters + i] = 97 + random.below(26);
  const words = arena.alloc(POOL);
  for (let i = 0; i < POOL; i++) U8[words + i] = random.below(13) === 0 ? 32 : 97 + random.below(26);

  const channelNames = [...HOT_CHANNELS];
  const urls = HOT_CHANNELS.map(() => baseUrl(random));
  for (let i = 0; i < CHANNELS; i++) {
    channelNames.push(`channel-${i}`);
    const id = random.below(10) > 0 ? `&channel_id=${Math.abs(reverseBits(i))}` : '';
    urls.push(baseUrl(random) + id);
  }
  return {
    letters,
    words,
    names: table(
      arena,
      FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => `${first} ${last}`)),
    ),
    cities: table(arena, CITIES),
    states: table(arena, STATES),
    channels: table(arena, channelNames),
    urls: table(arena, urls),
  };
}

function table(arena: Arena, entries: string[]): TextTable {
  const address = new Uint32Array(entries.length);
  const length = new Uint32Array(entries.length);
  entries.forEach((entry, i) => {
    address[i] = arena.alloc(entry.length);
    length[i] = BYTES.latin1Write(entry, address[i], entry.length);
  });
  return { address, length };
}

function baseUrl(random: Random): string {
  return `https://www.nexmark.com/${segment(random)}/${segment(random)}/${segment(random)}/item.htm?query=1`;
}

/** Three or four characters, 1 in 13 an underscore. */
function segment(random: Random): string {
  let text = '';
  for (let length = 3 + random.below(2); length > 0; length--) {
    text += random.below(13) === 0 ? '_' : String.fromCharCode(97 + random.below(26));
  }
  return text;
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) reversed |= ((value >>> i) & 1) << (31 - i);
  return reversed;
}
