/** What is asked of an input while it is made smaller. */
export type StillFails = (input: Buffer) => Promise<boolean>;

const TRIES = 600;

/** The same failure in fewer octets: runs of octets are left out as long as it stays, long runs first (ddmin). */
export async function minimised(
  input: Buffer,
  stillFails: StillFails,
  milliseconds: number,
): Promise<Buffer> {
  const end = performance.now() + milliseconds;
  let best = input;
  let tries = 0;
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length; ) {
      tries += 1;
      if (tries > TRIES || performance.now() > end) return best;
      const candidate = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await stillFails(candidate)) best = candidate;
      else at += size;
    }
  }
  return best;
}
