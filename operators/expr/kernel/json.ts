/** Inline forms of -> ->> #> #>> and ? of jsonb: a part of a document's canonical text, shown where it lies (kernels/assembly/json_text.ts). */
import { U8 } from '../../batch/memory.ts';
import { varlenAddress } from '../../batch/slots.ts';
import { isPgArray } from '../../datum.ts';
import { kernels } from '../../kernels/index.ts';
import { TEXT_NULL } from '../../kernels/text_layout.ts';
import { quoteJson } from '../json/value.ts';
import { BAIL } from '../text/slot_text.ts';
import { type Inline, type Site, slot, type Template, templates } from './templates.ts';

/** `out`, TEXT_NULL, or BAIL. */
type Part = (...addresses: number[]) => number;

const field: Part = (document, key, length, text, out) =>
  shown(kernels.jsonField(document, key, length, text, out), out);

const element: Part = (document, index, text, out) =>
  index < 0 ? BAIL : shown(kernels.jsonElement(document, index, text, out), out);

/** The kernel's address comes as a signed number. */
function shown(result: number, out: number): number {
  return result === BAIL || result === TEXT_NULL ? result : out;
}

/** jsonb_exists: the items of arrays are left to the interpreter. */
const exists = (document: number, key: number, length: number, out: number): number =>
  U8[varlenAddress(document)] === OPEN_OBJECT ? Number(field(document, key, length, 0, out) !== TEXT_NULL) : BAIL;

const OPEN_OBJECT = 123;
const OPEN_LIST = 91;
/** Numbers of items that are written plainly; others are for the interpreter. */
const PLAIN_NUMBER = /^(?:0|[1-9]\d{0,8})$/;

/** #> and #>> of a constant path. */
class Path {
  readonly #steps: { address: number; length: number; index: number }[];
  /** Results go to these in turn: one shows what is read while the other is written. */
  readonly #slots: [number, number];

  constructor(steps: string[], site: Site) {
    this.#steps = steps.map((step) => ({
      ...site.literal(quoteJson(step)),
      index: PLAIN_NUMBER.test(step) ? Number(step) : -1,
    }));
    this.#slots = [site.slot(), site.slot()];
  }

  follow(document: number, text: 0 | 1): number {
    let at = document;
    for (let i = 0; i < this.#steps.length && at > TEXT_NULL; i++) {
      const { address, length, index } = this.#steps[i];
      const asText = i === this.#steps.length - 1 ? text : 0;
      const out = this.#slots[i & 1];
      if (U8[varlenAddress(at)] === OPEN_LIST) at = element(at, index, asText, out);
      else at = field(at, address, length, asText, out);
    }
    return at;
  }
}

const part = (v: string): Inline => ({ ...slot(v, `$r === ${BAIL}`), nullWhen: `$r === ${TEXT_NULL}` });

const fieldOf =
  (text: 0 | 1): Template =>
  ([document], [, key], site) => {
    if (document.kind !== 'slot' || typeof key !== 'string') return null;
    // Equal keys are written alike.
    const { address, length } = site.literal(quoteJson(key));
    return part(`${site.use(field)}(${document.v}, ${address}, ${length}, ${text}, ${site.slot()})`);
  };

const elementOf =
  (text: 0 | 1): Template =>
  ([document, index], _, site) => {
    if (document.kind !== 'slot' || index.kind !== 'int') return null;
    return part(`${site.use(element)}(${document.v}, ${index.v}, ${text}, ${site.slot()})`);
  };

const pathOf =
  (text: 0 | 1): Template =>
  ([document], [, path], site) => {
    if (document.kind !== 'slot' || path === undefined || !isPgArray(path) || path.items.length === 0) return null;
    const steps = path.items.filter((step) => typeof step === 'string');
    if (steps.length < path.items.length) return null;
    return part(`${site.use(new Path(steps, site))}.follow(${document.v}, ${text})`);
  };

templates.set('jsonb_exists(jsonb,text)', ([document], [, key], site) => {
  if (document.kind !== 'slot' || typeof key !== 'string') return null;
  const { address, length } = site.literal(quoteJson(key));
  const v = `${site.use(exists)}(${document.v}, ${address}, ${length}, ${site.slot()})`;
  return { value: { kind: 'bool', v }, bails: [`$r === ${BAIL}`] };
});

for (const [suffix, text] of [
  ['', 0],
  ['_text', 1],
] as const) {
  templates.set(`jsonb_object_field${suffix}(jsonb,text)`, fieldOf(text));
  templates.set(`jsonb_array_element${suffix}(jsonb,int4)`, elementOf(text));
  templates.set(`jsonb_extract_path${suffix}(jsonb,_text)`, pathOf(text));
}
