/** @tanstack/db-ivm: d2ts without versions; what lies in the inputs when it runs is one change. */
import { concat, D2, filter, type IStreamBuilder, join, map, output, reduce } from '@tanstack/db-ivm';
import type { Input, Key, Peer, Stream } from './peer.ts';

const own = <T>(stream: Stream<T>) => stream as IStreamBuilder<T>;
const shown = <T>(stream: IStreamBuilder<T>) => stream as unknown as Stream<T>;

export function dbIvm(): Peer {
  const graph = new D2();
  return {
    input<T>() {
      const stream = graph.newInput<T>();
      const send = (rows: T[]) => stream.sendData(rows.map((row): [T, number] => [row, 1]));
      return Object.assign(stream, { send }) as unknown as Input<T>;
    },
    map: (stream, f) => shown(map(f)(own(stream))),
    filter: (stream, f) => shown(filter(f)(own(stream))),
    concat: (a, b) => shown(concat(own(b))(own(a))) as typeof a,
    join: <A, B>(a: Stream<[Key, A]>, b: Stream<[Key, B]>) =>
      shown(join<Key, A, B, [Key, A]>(own(b), 'inner')(own(a))) as Stream<[Key, [A, B]]>,
    reduce: <V, R>(stream: Stream<[Key, V]>, f: (values: [V, number][]) => [R, number][]) =>
      shown(reduce<Key, V, R, [Key, V]>(f)(own(stream))) as Stream<[Key, R]>,
    output(stream, f) {
      output<Parameters<typeof f>[0]>((change) => {
        for (const [value, multiplicity] of change.getInner()) f(value, multiplicity);
      })(own(stream));
    },
    finish: () => graph.finalize(),
    run: () => graph.run(),
  };
}
