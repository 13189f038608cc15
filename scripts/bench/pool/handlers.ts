/** What the workers of every side call: as little as there can be, so that what is measured is the way there and back. */
export function add(number: number): number {
  return number + 1;
}

/** For piscina, which calls the default export. */
export default add;
