/** Array types and their element types: pg_type.typarray and typelem of the types Tidemark has. */
import { unsupported } from '../errors.ts';
import { isEnumArray, isEnumType } from '../types.ts';

/** element OID -> array OID */
// biome-ignore format: it reads as the table it is
const ARRAY_OF = new Map<number, number>([
  [16, 1000], [17, 1001], [18, 1002], [19, 1003], [20, 1016], [21, 1005], [23, 1007], [24, 1008], [25, 1009], [26, 1028],
  [27, 1010], [28, 1011], [29, 1012], [114, 199], [142, 143], [700, 1021], [701, 1022], [650, 651], [774, 775], [790, 791],
  [829, 1040], [869, 1041], [1033, 1034], [1042, 1014],
  [1043, 1015], [1082, 1182], [1083, 1183], [1114, 1115], [1184, 1185], [1186, 1187], [1266, 1270], [1560, 1561],
  [1562, 1563], [1700, 1231], [1790, 2201], [2202, 2207], [2203, 2208], [2204, 2209], [2205, 2210], [2206, 2211],
  [2249, 2287], [2275, 1263], [2950, 2951], [3220, 3221], [3734, 3735], [3802, 3807], [4072, 4073], [4089, 4090], [4096, 4097],
  [4191, 4192], [3904, 3905], [3906, 3907], [3908, 3909], [3910, 3911], [3912, 3913], [3926, 3927], [4451, 6150], [4532, 6151], [4533, 6152],
  [4534, 6153], [4535, 6155], [4536, 6157],
]);

const ELEMENT_OF = new Map<number, number>([...ARRAY_OF].map(([elem, array]) => [array, elem]));
ELEMENT_OF.set(22, 21);
ELEMENT_OF.set(30, 26);

/** PostgreSQL's true array types, as OIDs. */
export const ARRAY_OIDS: readonly number[] = [...ARRAY_OF.values()];

/** True for T[], int2vector and oidvector. */
export function isArrayType(oid: number): boolean {
  return ELEMENT_OF.has(oid) || isEnumArray(oid);
}

/** Element type of an array type; 0A000 when there is none. */
export function elementType(arrayOid: number): number {
  if (isEnumArray(arrayOid)) return arrayOid - 1;
  const elem = ELEMENT_OF.get(arrayOid);
  if (elem === undefined) throw unsupported(`subscripting of type ${arrayOid}`);
  return elem;
}

/** The array type over an element type; 0A000 when there is none. */
export function arrayTypeOf(elemOid: number): number {
  if (isEnumType(elemOid)) return elemOid + 1;
  const array = ARRAY_OF.get(elemOid);
  if (array === undefined) throw unsupported(`an array of type ${elemOid}`);
  return array;
}
