/**
 * The same plain data, in which no byte view is a window on a larger buffer: posting a window to a thread clones the
 * whole buffer behind it, and what else that holds. What is exact already is returned as it is.
 */
export function exact<T>(value: T): T {
  return exactOf(value) as T;
}

function exactOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value);
  }
  if (Array.isArray(value)) return exactList(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? exactRecord(value) : value;
}

function exactList(list: readonly unknown[]): readonly unknown[] {
  const copied = list.map(exactOf);
  return copied.every((item, at) => item === list[at]) ? list : copied;
}

function exactRecord(record: object): object {
  let copied: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(record)) {
    const own = exactOf(value);
    if (own === value) continue;
    copied ??= { ...record };
    copied[key] = own;
  }
  return copied ?? record;
}
