/** Relations and what they read, from the catalog: pg_depend through pg_rewrite, and tidemark.sinks. */
import { records } from './api.mjs';

const NODES = `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
    c.oid IN (SELECT oid FROM tidemark.sources) AS source, coalesce(v.errors, 0) AS errors
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN tidemark.views v ON v.oid = c.oid
  WHERE c.relkind IN ('r', 'm', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tidemark')
  ORDER BY schema, name`;
const EDGES = `SELECT DISTINCT d.refobjid AS "from", r.ev_class AS "to" FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class`;
const SINKS = 'SELECT name, status, reads FROM tidemark.sinks ORDER BY name';

const KINDS = { r: 'table', m: 'view', v: 'plain view' };

/** {nodes: [{id, name, schema, kind, bad}], edges: [{from, to}]}; sinks have the id `sink NAME`. */
export async function relations(signal) {
  const [found, edges, sinks] = await Promise.all([NODES, EDGES, SINKS].map((sql) => records(sql, { signal })));
  const nodes = found.map(({ oid, schema, name, kind, source, errors }) => ({
    id: String(oid),
    schema,
    name,
    kind: source ? 'stream' : KINDS[kind],
    bad: errors !== '0',
  }));
  const lines = edges.map(({ from, to }) => ({ from: String(from), to: String(to) }));
  for (const { name, status, reads } of sinks) {
    const id = `sink ${name}`;
    nodes.push({ id, schema: 'public', name, kind: 'sink', bad: status !== 'running' });
    for (const oid of reads) lines.push({ from: String(oid), to: id });
  }
  return { nodes, edges: direct(nodes, lines) };
}

/** Without the lines past a plain view: who reads one has in the catalog what that one reads, too. */
export function direct(nodes, edges) {
  const plain = nodes.filter(({ kind }) => kind === KINDS.v);
  const key = (from, to) => `${from} ${to}`;
  const known = new Set(edges.map(({ from, to }) => key(from, to)));
  return edges.filter(({ from, to }) => !plain.some(({ id }) => known.has(key(from, id)) && known.has(key(id, to))));
}

/** All that a relation reads, and what these read. */
export function above(id, edges) {
  const found = new Set([id]);
  for (const one of found) for (const { from, to } of edges) if (to === one) found.add(from);
  return found;
}
