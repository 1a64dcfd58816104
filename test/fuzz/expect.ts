import assert from 'node:assert/strict';

type ErrorType = abstract new (...values: never[]) => Error;

/** What `read` gives, or undefined when it refuses the input as it may: with one of these errors. Anything else is a finding. */
export function tolerated<T>(read: () => T, ...types: readonly ErrorType[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (types.some((type) => error instanceof type)) return undefined;
    throw error;
  }
}

export async function toleratedLater<T>(
  read: () => Promise<T>,
  ...types: readonly ErrorType[]
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (types.some((type) => error instanceof type)) return undefined;
    throw error;
  }
}

/** Text that goes into a header or a log stays on its line. */
export function assertOneLine(text: string): void {
  assert.ok(!/[\r\n\0]/.test(text), 'a line end inside a line');
}
