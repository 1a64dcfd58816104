import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.js';
import type { Ready } from './serve.js';

/** Ours in a process of its own. CERALACCA_BENCH_NODE: options for it, such as `--cpu-prof`. */
export async function startCeralacca(folder: string): Promise<Contender & { readonly passwordHash: string }> {
  await mkdir(folder);
  const execArgv = (process.env.CERALACCA_BENCH_NODE ?? '').split(' ').filter((each) => each !== '');
  const child = fork(fileURLToPath(new URL('./serve.js', import.meta.url)), [folder], { execArgv });
  const exited = once(child, 'exit');
  const [ready] = (await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ])) as [Ready];
  return {
    name: 'Ceralacca',
    port: ready.port,
    passwordHash: ready.passwordHash,
    async settled() {
      child.send('settle');
      await once(child, 'message');
    },
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
