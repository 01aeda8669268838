/** CREATE FUNCTION, ALTER FUNCTION, and functions as statements name them: libpg-query's nodes as Tidemark's statements. */
import type { FunctionAction, FunctionAttributes, FunctionName, ParameterDef, PgNode, Statement } from './ast.ts';
import { qualified, strings } from './node_fields.ts';
import { scanPostgres } from './pg_parser.ts';
import { errorAt, type Source } from './positions.ts';

type AlterFunction = Extract<Statement, { k: 'alter_function' }>;

const MODES: Record<string, ParameterDef['mode']> = {
  FUNC_PARAM_DEFAULT: 'i',
  FUNC_PARAM_IN: 'i',
  FUNC_PARAM_OUT: 'o',
  FUNC_PARAM_INOUT: 'b',
  FUNC_PARAM_VARIADIC: 'v',
  FUNC_PARAM_TABLE: 't',
};

const VOLATILITIES: Record<string, 'i' | 's' | 'v'> = { immutable: 'i', stable: 's', volatile: 'v' };
const PARALLEL: Record<string, 's' | 'r' | 'u'> = { safe: 's', restricted: 'r', unsafe: 'u' };

/** Null for CREATE PROCEDURE. */
export function createFunction(node: PgNode, source: Source): Statement | null {
  if (node.is_procedure) return null;
  const options: PgNode[] = (node.options ?? []).map((item: PgNode) => item.DefElem);
  const option = (name: string) => options.find(({ defname }) => defname === name)?.arg;
  const attributes = attributesOf(options, source);
  const as = option('as')?.List.items;
  if (node.sql_body && as) throw errorAt(source, '42P13', 'duplicate function body specified');
  return {
    ...source,
    k: 'create_function',
    ...qualified(strings(node.funcname)),
    orReplace: node.replace === true,
    parameters: (node.parameters ?? []).map((item: PgNode) => parameter(item.FunctionParameter)),
    returns: node.returnType ?? null,
    language: option('language')?.String.sval.toLowerCase() ?? null,
    body: node.sql_body ? standardBody(node.sql_body, source) : as ? { source: strings(as).at(-1) as string } : null,
    ...attributes,
  };
}

function parameter({ name = '', mode, argType, defexpr }: PgNode): ParameterDef {
  return { name, mode: MODES[mode], type: argType, default: defexpr ?? null };
}

/** RETURN expression is SELECT expression. */
function standardBody({ ReturnStmt: returned, List: list }: PgNode, { text }: Source) {
  const tokens = scanPostgres(text);
  let depth = 0;
  const first = tokens.findIndex((token, i) => {
    if (token.text === '(') depth++;
    if (token.text === ')') depth--;
    const word = token.text.toLowerCase();
    const begins = word === 'return' || (word === 'begin' && tokens[i + 1]?.text.toLowerCase() === 'atomic');
    return depth === 0 && begins;
  });
  const last = tokens[tokens.at(-1)?.text === ';' ? tokens.length - 2 : tokens.length - 1];
  const own = Buffer.from(text, 'utf8').subarray(tokens[first].start, last.end).toString('utf8');
  if (returned === undefined) return { statements: list.items.flatMap((item: PgNode) => item.List.items), text: own };
  const targetList = [{ ResTarget: { val: returned.returnval } }];
  const select = { targetList, limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE' };
  return { statements: [{ SelectStmt: select }], text: own };
}

/** What would change who runs it or how is refused: nothing else than the body runs, as the caller. */
function attributesOf(options: PgNode[], source: Source): FunctionAttributes {
  const out: FunctionAttributes = {};
  const seen = new Set<string>();
  const refuse = (what: string, location: number) => errorAt(source, '0A000', `${what} is not supported`, location);
  for (const { defname, arg, location } of options) {
    if (seen.has(defname)) throw errorAt(source, '42601', 'conflicting or redundant options', location);
    seen.add(defname);
    const isOn = arg?.Boolean?.boolval === true;
    switch (defname) {
      case 'volatility':
        out.volatility = VOLATILITIES[arg.String.sval];
        break;
      case 'strict':
        out.strict = isOn;
        break;
      case 'leakproof':
        out.leakproof = isOn;
        break;
      case 'parallel':
        out.parallel = PARALLEL[arg.String.sval.toLowerCase()];
        if (out.parallel === undefined)
          throw errorAt(source, '42601', 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE');
        break;
      case 'cost':
      case 'rows': {
        const value = Number(arg.Integer?.ival ?? arg.Float?.fval ?? 0);
        if (!(value > 0)) throw errorAt(source, '22023', `${defname.toUpperCase()} must be positive`);
        out[defname as 'cost' | 'rows'] = value;
        break;
      }
      case 'security':
        if (isOn) throw refuse('SECURITY DEFINER', location);
        break;
      case 'set':
        throw refuse('SET of a function', location);
      case 'window':
        throw refuse('WINDOW of a function in SQL', location);
      case 'support':
        throw refuse('SUPPORT of a function', location);
      case 'transform':
        throw refuse('TRANSFORM of a function', location);
    }
  }
  return out;
}

/** The content of an ObjectWithArgs. */
export function functionName({ objname, objargs, objfuncargs, args_unspecified: isUnspecified }: PgNode): FunctionName {
  const parameters: PgNode[] | undefined = objfuncargs?.map((item: PgNode) => item.FunctionParameter);
  const inputs = parameters?.filter(({ mode }) => !['o', 't'].includes(MODES[mode])).map(({ argType }) => argType);
  const args = inputs ?? (objargs ?? []).map((item: PgNode) => item.TypeName);
  return { ...qualified(strings(objname)), args: isUnspecified ? null : args };
}

export function alterFunction({ objtype, func, actions }: PgNode, source: Source): AlterFunction | null {
  if (objtype !== 'OBJECT_FUNCTION') return null;
  const options = actions.map((item: PgNode) => item.DefElem);
  return altered(func, { k: 'attributes', ...attributesOf(options, source) }, source);
}

export function alterFunctionObject(object: PgNode, action: FunctionAction, source: Source): AlterFunction {
  return altered(object.ObjectWithArgs, action, source);
}

function altered(object: PgNode, action: FunctionAction, source: Source): AlterFunction {
  return { ...source, k: 'alter_function', ...functionName(object), action };
}
