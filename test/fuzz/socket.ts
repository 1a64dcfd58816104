import { connect, type Socket } from 'node:net';

/**
 * One connection to a listener of this process: says the pieces, each in a write of its own, closes its side unless `open`,
 * and gives all that came back until the server closed.
 */
export function converse(
  socket: Socket,
  pieces: readonly Buffer[],
  { open = false, until }: { readonly open?: boolean; readonly until?: (heard: string) => boolean } = {},
): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      if (until?.(heard) === true) socket.end();
    });
    // A server that has closed may be spoken to still (ECONNRESET, EPIPE): it is over all the same.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(heard));
    for (const piece of pieces) socket.write(piece);
    if (!open) socket.end();
  });
}

export const plain = (port: number): Socket => connect({ port, host: '127.0.0.1', allowHalfOpen: true });

/** Cut where the input itself says. */
export function ownPieces(input: Buffer): Buffer[] {
  const at = ((input[0] ?? 0) * 7) % (input.length + 1);
  return [input.subarray(0, at), input.subarray(at)].filter(({ length }) => length > 0);
}
