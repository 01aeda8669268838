/** @electric-sql/d2ts: differential dataflow with versions. A tick is a version of its own; the frontier passes it at once. */
import {
  concat,
  D2,
  filter,
  type IStreamBuilder,
  join,
  MessageType,
  map,
  output,
  type RootStreamBuilder,
  reduce,
} from '@electric-sql/d2ts';
import type { Input, Key, Peer, Stream } from './peer.ts';

const own = <T>(stream: Stream<T>) => stream as IStreamBuilder<T>;
const shown = <T>(stream: IStreamBuilder<T>) => stream as unknown as Stream<T>;

export function d2ts(): Peer {
  const graph = new D2({ initialFrontier: 0 });
  const inputs: RootStreamBuilder<unknown>[] = [];
  let version = 0;
  return {
    input<T>() {
      const stream = graph.newInput<T>();
      inputs.push(stream as RootStreamBuilder<unknown>);
      const send = (rows: T[]) =>
        stream.sendData(
          version,
          rows.map((row): [T, number] => [row, 1]),
        );
      return Object.assign(stream, { send }) as unknown as Input<T>;
    },
    map: (stream, f) => shown(map(f)(own(stream))),
    filter: (stream, f) => shown(filter(f)(own(stream))),
    concat: (a, b) => shown(concat(own(b))(own(a))) as typeof a,
    join: <A, B>(a: Stream<[Key, A]>, b: Stream<[Key, B]>) =>
      shown(join<Key, A, B, [Key, A]>(own(b))(own(a))) as Stream<[Key, [A, B]]>,
    reduce: <V, R>(stream: Stream<[Key, V]>, f: (values: [V, number][]) => [R, number][]) =>
      shown(reduce<Key, V, R, [Key, V]>(f)(own(stream))) as Stream<[Key, R]>,
    output(stream, f) {
      output<Parameters<typeof f>[0]>((message) => {
        if (message.type !== MessageType.DATA) return;
        for (const [value, multiplicity] of message.data.collection.getInner()) f(value, multiplicity);
      })(own(stream));
    },
    finish: () => graph.finalize(),
    run() {
      version++;
      for (const input of inputs) input.sendFrontier(version);
      graph.run();
    },
  };
}
