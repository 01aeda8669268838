/**
 * EXPLAIN (ANALYZE, FORMAT JSON) of a view as lines of a tree, with what its operators measured.
 *
 * Operators are listed in the order in which rows reach them. Where that is the tree's own, each line has its figures; where two lines are one operator it is not, and
 * the figures are shown beside the tree.
 */

/** Gives {root: {text, notes, inputs, figures}, operators: [...], paired}. */
export function planOf([{ Plan, Operators = [] }]) {
  const lines = [];
  const root = nodeOf(Plan, lines);
  // The first line of the tree, the last here, is the view's rows.
  const rows = Operators.find(({ Operator }) => Operator === 'rows') ?? null;
  const operators = Operators.filter((figures) => figures !== rows);
  const isSource = ({ Operator }) => / source$/.test(Operator);
  const paired =
    operators.length === lines.length - 1 && operators.every((figures, i) => isSource(figures) === lines[i].source);
  if (paired) {
    operators.forEach((figures, i) => {
      lines[i].figures = figures;
    });
    root.figures = rows;
  }
  return { root, operators: Operators, paired };
}

/** Inputs first. */
function nodeOf(plan, lines) {
  const inputs = (plan.Plans ?? []).map((input) => nodeOf(input, lines));
  const node = {
    text: plan.Description,
    notes: plan.Notes ?? [],
    source: plan['Node Type'] === 'Source',
    inputs,
    figures: null,
  };
  lines.push(node);
  return node;
}

/** Milliseconds that an operator has taken for all its rows; null: it was not measured. */
export function millisecondsOf(figures) {
  const perRow = figures?.['ns per row'];
  return perRow === undefined ? null : (perRow * (figures['rows in'] ?? 0)) / 1e6;
}
