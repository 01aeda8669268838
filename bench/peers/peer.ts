/**
 * What the incremental dataflow libraries that we measure beside us have in common: collections of values with multiplicities and operators over them.
 * A peer is one of them behind these words, so that each query is written once (queries.ts), with the operators that both have: what their groupBy and topK
 * are made of is reduce, which we call directly.
 */
export type Key = string | number;

/** A collection of the library's; nobody else looks into it. */
export interface Stream<T> {
  readonly of?: T;
}

export interface Input<T> extends Stream<T> {
  /** Adds rows, each once, to what the next run() takes. */
  send(rows: T[]): void;
}

export interface Peer {
  input<T>(): Input<T>;
  map<T, O>(stream: Stream<T>, f: (value: T) => O): Stream<O>;
  filter<T>(stream: Stream<T>, f: (value: T) => boolean): Stream<T>;
  concat<T>(a: Stream<T>, b: Stream<T>): Stream<T>;
  /** Pairs of values with equal keys. */
  join<A, B>(a: Stream<[Key, A]>, b: Stream<[Key, B]>): Stream<[Key, [A, B]]>;
  /** The values of each key, with multiplicities, made into others. */
  reduce<V, R>(stream: Stream<[Key, V]>, f: (values: [V, number][]) => [R, number][]): Stream<[Key, R]>;
  output<T>(stream: Stream<T>, f: (value: T, multiplicity: number) => void): void;
  /** Nothing is added to the graph any more. */
  finish(): void;
  /** Takes what was sent through the graph. */
  run(): void;
}
