/** An image of state memory as a checkpoint takes it: pages by number, the changed ones again for each image. */
import { PAGE_BYTES, U8 } from '../batch/memory.ts';
import { pages } from '../batch/pages.ts';
import type { PageRun } from '../state/write_marks.ts';
import { endImage, loadedPages, startImage, takePending } from '../state/write_marks.ts';

export class Image {
  readonly #bytes = new Map<number, Uint8Array>();
  #pages: number[] = [];
  #runs: PageRun[] = [];

  /** The image of this moment; what is written before finish() does not come in. */
  start(runs: PageRun[]): void {
    this.#runs = runs;
    this.#pages = startImage(runs, (page) => this.#copy(page)).pages;
  }

  finish(): void {
    for (let page = takePending(); page !== null; page = takePending()) this.#copy(page);
    endImage();
  }

  #copy(page: number): void {
    this.#bytes.set(page, U8.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
  }

  /** The image of state at rest, which is loaded once that state has been released. */
  over(runs: PageRun[], release: () => void): void {
    this.start(runs);
    this.finish();
    release();
    this.load();
  }

  /** Takes the pages and fills them; what was never written holds anything. */
  load(): void {
    for (const { start, count } of this.#runs) {
      if (!pages.reserve(start * PAGE_BYTES, count)) throw new Error(`pages ${start}..${start + count} are in use`);
      U8.fill(0xee, start * PAGE_BYTES, (start + count) * PAGE_BYTES);
    }
    for (const page of this.#pages) U8.set(this.#bytes.get(page) as Uint8Array, page * PAGE_BYTES);
    loadedPages(this.#runs, this.#pages);
  }
}
