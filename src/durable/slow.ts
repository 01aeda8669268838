export function slow(what: string, began: number, least = 4): void {
  const ms = performance.now() - began;
  if (ms >= least)
    process.stderr.write(`SLOW ${Math.round(Number(process.hrtime.bigint()) / 1000)} ${ms.toFixed(1)} ${what}\n`);
}
