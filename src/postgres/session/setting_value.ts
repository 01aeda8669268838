/**
 * Reading and showing the value of a setting. Kept form: bool 'on' | 'off', numbers in the setting's unit without a unit word,
 * enums in their own spelling, strings as canonical() makes them.
 *
 *   SET work_mem = '8MB'   -> kept '8192' (unit kB)   -> SHOW gives '8MB', pg_settings.setting gives '8192'
 *
 * Bad values are 22023 with PostgreSQL's texts.
 */
import { SqlError } from '../../../operators/errors.ts';
import { canonicalDateStyle } from './date_style.ts';
import type { SettingDefinition } from './setting_definitions.ts';
import { canonicalTimeZone } from './time_zone_setting.ts';

function invalid(definition: SettingDefinition, text: string, hint?: string): SqlError {
  return new SqlError('22023', `invalid value for parameter "${definition.name}": "${text}"`, { hint });
}

const BOOL_WORDS: [word: string, value: string, shortest: number][] = [
  ['true', 'on', 1],
  ['false', 'off', 1],
  ['yes', 'on', 1],
  ['no', 'off', 1],
  ['on', 'on', 2],
  ['off', 'off', 2],
  ['1', 'on', 1],
  ['0', 'off', 1],
];

/** The bool that a word or its unique prefix means, or null. */
function readBool(text: string): string | null {
  const word = text.toLowerCase();
  for (const [full, value, shortest] of BOOL_WORDS) {
    if (word.length >= shortest && full.startsWith(word)) return value;
  }
  return null;
}

/** Sizes of unit words in the smallest unit of their family: bytes, or microseconds. */
const BYTES: Record<string, number> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };
const MICROS: Record<string, number> = {
  us: 1,
  ms: 1000,
  s: 1e6,
  min: 60e6,
  h: 3600e6,
  d: 86400e6,
};

interface UnitFamily {
  sizes: Record<string, number>;
  /** Size of the setting's own unit. */
  base: number;
  hint: string;
}

function unitFamily(unit: string): UnitFamily {
  const match = /^(\d*)([A-Za-z]+)$/.exec(unit);
  const count = match === null || match[1] === '' ? 1 : Number(match[1]);
  const word = match === null ? unit : match[2];
  return word in MICROS
    ? {
        sizes: MICROS,
        base: MICROS[word] * count,
        hint: 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".',
      }
    : {
        sizes: BYTES,
        base: BYTES[word] * count,
        hint: 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".',
      };
}

function readNumber(definition: SettingDefinition, text: string): string {
  const match =
    /^\s*([+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?))\s*([A-Za-z]*)\s*$/.exec(
      text,
    );
  if (match === null) throw invalid(definition, text);
  let value = Number(match[1]);
  if (Number.isNaN(value)) {
    const magnitude = Number(match[1].slice(1));
    value = match[1].startsWith('-') ? -magnitude : magnitude;
  }
  if (match[2] !== '') {
    if (definition.unit === null) throw invalid(definition, text);
    const family = unitFamily(definition.unit);
    const size = family.sizes[match[2]];
    if (size === undefined) throw invalid(definition, text, family.hint);
    value = (value * size) / family.base;
  }
  if (definition.type === 'integer') value = roundHalfEven(value);
  if ((definition.min !== null && value < definition.min) || (definition.max !== null && value > definition.max)) {
    const unit = definition.unit === null ? '' : ` ${definition.unit}`;
    throw new SqlError(
      '22023',
      `${value}${unit} is outside the valid range for parameter "${definition.name}" (${definition.min}${unit} .. ${definition.max}${unit})`,
    );
  }
  return String(value);
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function readEnum(definition: SettingDefinition, text: string): string {
  const labels = definition.enumValues ?? [];
  const word = text.toLowerCase();
  const found = labels.find((label) => label.toLowerCase() === word);
  if (found !== undefined) return found;
  const bool = readBool(text);
  if (bool !== null && labels.includes(bool)) return bool;
  throw invalid(definition, text, `Available values: ${labels.join(', ')}.`);
}

const UTF8_NAMES = new Set(['utf8', 'unicode']);

/** Strings that mean something: brought to the form PostgreSQL would show, or refused. */
const CANONICAL: Record<string, (text: string, current: string, definition: SettingDefinition) => string> = {
  client_encoding: (text, _current, definition) => {
    const name = text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
    if (UTF8_NAMES.has(name)) return 'UTF8';
    throw new SqlError('22023', `invalid value for parameter "${definition.name}": "${text}"`, {
      detail: 'Only UTF8 is spoken here.',
    });
  },
  datestyle: (text, current, definition) => {
    const value = canonicalDateStyle(text, current);
    if (value === null) throw invalid(definition, text);
    return value;
  },
  timezone: (text, _current, definition) => {
    const value = canonicalTimeZone(text);
    if (value === null) throw invalid(definition, text);
    return value;
  },
  standard_conforming_strings: (text, _current, definition) => {
    if (text === 'off') throw new SqlError('0A000', `parameter "${definition.name}" cannot be turned off`);
    return text;
  },
  application_name: (text) => {
    const clean = text.replace(/[^ -~]/g, (c) =>
      [...Buffer.from(c)].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join(''),
    );
    return clean.slice(0, 63);
  },
};

/** The kept form of what a user wrote; `current` is the value so far. Throws 22023. */
export function readSetting(definition: SettingDefinition, text: string, current: string): string {
  let value: string;
  switch (definition.type) {
    case 'bool': {
      const bool = readBool(text);
      if (bool === null) throw new SqlError('22023', `parameter "${definition.name}" requires a Boolean value`);
      value = bool;
      break;
    }
    case 'integer':
    case 'real':
      value = readNumber(definition, text);
      break;
    case 'enum':
      value = readEnum(definition, text);
      break;
    case 'string':
      value = text;
      break;
  }
  return CANONICAL[definition.name.toLowerCase()]?.(value, current, definition) ?? value;
}

/** What SHOW and current_setting give: numbers in the largest unit that divides them. */
export function showSetting(definition: SettingDefinition, kept: string): string {
  if (definition.unit === null || (definition.type !== 'integer' && definition.type !== 'real')) return kept;
  const value = Number(kept);
  if (!(value > 0)) return kept;
  const family = unitFamily(definition.unit);
  const total = value * family.base;
  const units = Object.entries(family.sizes).reverse();
  for (const [word, size] of units) {
    if (total % size === 0) return `${total / size}${word}`;
  }
  return kept;
}
