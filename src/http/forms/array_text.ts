/**
 * PostgreSQL's text of an array, `{1,NULL,"a\"b"}` or `[0:1]={{1},{2}}`, as lists in lists. Bounds are left out.
 */
export type ArrayValue = string | null | ArrayValue[];

/** `delimiter`: of the type; box alone has another than a comma. */
export function readArray(text: string, delimiter = ','): ArrayValue[] {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;

  function list(): ArrayValue[] {
    const items: ArrayValue[] = [];
    at++;
    if (text[at] === '}') {
      at++;
      return items;
    }
    for (;;) {
      items.push(text[at] === '{' ? list() : text[at] === '"' ? quoted() : plain());
      const sign = text[at++];
      if (sign === '}') return items;
      if (sign !== delimiter) throw new Error(`not the text of an array: ${text.slice(0, 100)}`);
    }
  }

  function quoted(): string {
    let value = '';
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === '\\') at++;
      if (at >= text.length) throw new Error(`not the text of an array: ${text.slice(0, 100)}`);
      value += text[at];
    }
    at++;
    return value;
  }

  function plain(): string | null {
    const from = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== '}') at++;
    const value = text.slice(from, at);
    return value === 'NULL' ? null : value;
  }

  return list();
}
