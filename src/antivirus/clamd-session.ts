import type { Socket } from 'node:net';

/** Milliseconds between signs of life: clamd ends a session that is silent for its IdleTimeout, 30 s. */
const BEAT = 10_000;

/**
 * A session held open for nothing but its end: a clamd that is started anew may have been set up otherwise, and no
 * command tells. Keeps no process alive.
 * @param gone called once, when clamd has closed the session or does not answer it
 * @returns rejects when clamd does not take it
 */
export function attendClamd(socket: Socket, gone: () => void): Promise<void> {
  let answered = true;
  socket.unref();
  socket.write('zIDSESSION\0zPING\0');
  const beat = setInterval(() => {
    if (!answered) socket.destroy();
    answered = false;
    socket.write('zPING\0');
  }, BEAT);
  beat.unref();
  return new Promise((resolve, reject) => {
    socket.on('data', () => {
      answered = true;
      resolve();
    });
    socket.on('error', reject);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      clearInterval(beat);
      reject(new Error('clamd takes no session'));
      gone();
    });
  });
}
