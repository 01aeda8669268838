/**
 * The nodes whose output a watermark changes without rows (EMIT ON WINDOW CLOSE), and the watermarks that they have seen last.
 *
 *   node -> [watermark of each relation that it watches]
 */
import type { GraphNode } from './graph_node.ts';
import { watermarksOf } from './node_time.ts';
import type { Watermarks } from './state/deadline.ts';

export class WatermarkReaders {
  readonly #seen = new Map<GraphNode, (bigint | null)[]>();

  add(node: GraphNode): void {
    const watched = watermarksOf(node.spec);
    if (watched.length > 0)
      this.#seen.set(
        node,
        watched.map(() => null),
      );
  }

  delete(node: GraphNode): void {
    this.#seen.delete(node);
  }

  clear(): void {
    this.#seen.clear();
  }

  get any(): boolean {
    return this.#seen.size > 0;
  }

  /** True when one of them has not seen these yet. */
  isBehind(watermark: Watermarks): boolean {
    for (const [node, seen] of this.#seen)
      if (watermarksOf(node.spec).some((relation, i) => watermark(relation) !== seen[i])) return true;
    return false;
  }

  /** They see these; calls back for each that had not. */
  see(watermark: Watermarks, moved: (node: GraphNode) => void): void {
    for (const [node, seen] of this.#seen) {
      watermarksOf(node.spec).forEach((relation, i) => {
        const now = watermark(relation);
        if (now === seen[i]) return;
        seen[i] = now;
        moved(node);
      });
    }
  }

  /** What puts back what they have seen until now. */
  keep(): () => void {
    const before = [...this.#seen].map(([node, marks]) => [node, marks.slice()] as const);
    return () => {
      for (const [node, marks] of before) this.#seen.set(node, marks);
    };
  }
}
