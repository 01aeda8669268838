/** What Node 20 has at run time and its type package does not name: byte-range text methods of Buffer, and WebAssembly. */
interface Buffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  hexSlice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
  latin1Write(text: string, offset: number, length: number): number;
  hexWrite(text: string, offset: number, length: number): number;
}

declare namespace WebAssembly {
  class Memory<Shared extends boolean = true> {
    constructor(descriptor: { initial: number; maximum: number; shared: Shared });
    readonly buffer: Shared extends true ? SharedArrayBuffer : ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  /** A variable of a module, of 32 bits. */
  class Global {
    private constructor();
    value: number;
  }
  class RuntimeError extends Error {
    constructor(message: string);
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Record<string, unknown>;
  }
  type Imports = Record<string, Record<string, unknown>>;
  /** Away from this thread. */
  function compile(bytes: Uint8Array): Promise<Module>;
}
