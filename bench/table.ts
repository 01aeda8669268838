/** Results as a table for people or as JSON lines for programs. */
export type Row = Record<string, string | number | null>;

/** Prints a row at a time, so that long benches show progress; the header comes with the first row. */
export class Table {
  readonly #json: boolean;
  #widths: number[] | null = null;

  constructor(json: boolean) {
    this.#json = json;
  }

  add(row: Row): void {
    if (this.#json) {
      console.log(JSON.stringify(row));
      return;
    }
    const names = Object.keys(row);
    const cells = Object.values(row).map(shown);
    if (this.#widths === null) {
      this.#widths = names.map((name, i) => Math.max(name.length, cells[i].length, 12));
      console.log(this.#line(names, this.#widths));
    }
    console.log(this.#line(cells, this.#widths));
  }

  #line(cells: string[], widths: number[]): string {
    return cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  }
}

function shown(value: string | number | null): string {
  if (value === null) return '-';
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return value.toFixed(2);
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** CPU seconds (user and system) and wall seconds of a piece of work in this process. */
export async function measure(work: () => Promise<void> | void): Promise<{ cpu: number; wall: number }> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await work();
  const used = process.cpuUsage(cpu);
  return { cpu: (used.user + used.system) / 1e6, wall: (performance.now() - wall) / 1000 };
}
