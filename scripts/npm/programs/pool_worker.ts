// What `pool.ts` has its workers do.
export function sumTo(last: number): number {
  let sum = 0;
  for (let i = 1; i <= last; i++) sum += i;
  return sum;
}
