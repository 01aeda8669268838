/** Pairs of integer types that operators take: the prefix of their functions' names, both types, the type of the result. */
export const INTEGER_PAIRS: readonly (readonly [prefix: string, left: string, right: string, result: string])[] = [
  ['int2', 'int2', 'int2', 'int2'],
  ['int4', 'int4', 'int4', 'int4'],
  ['int8', 'int8', 'int8', 'int8'],
  ['int24', 'int2', 'int4', 'int4'],
  ['int42', 'int4', 'int2', 'int4'],
  ['int28', 'int2', 'int8', 'int8'],
  ['int82', 'int8', 'int2', 'int8'],
  ['int48', 'int4', 'int8', 'int8'],
  ['int84', 'int8', 'int4', 'int8'],
];
