import { spawn } from 'node:child_process';

/** Milliseconds: generous; reached only when a program hangs. */
const PATIENCE = 120_000;

export interface Ran {
  readonly code: number | null;
  /** Standard output. */
  readonly out: Buffer;
  /** Standard error, Latin-1. */
  readonly error: string;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a program beside the server, whatever comes of it. */
export function tryProgram(
  program: string,
  args: readonly string[],
  { env, cwd }: Surroundings = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      cwd,
      timeout: PATIENCE,
    });
    const out: Buffer[] = [];
    let error = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      error += chunk.toString('latin1');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out: Buffer.concat(out), error }));
  });
}

/** Its standard output. @throws Error with what it said when it does not end with 0 */
export async function runProgram(
  program: string,
  args: readonly string[],
  surroundings?: Surroundings,
): Promise<Buffer> {
  const { code, out, error } = await tryProgram(program, args, surroundings);
  if (code === 0) return out;
  throw new Error(`${program} ended with ${code}: ${error}\n${out.toString('latin1').slice(-2000)}`);
}
