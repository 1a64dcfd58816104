import { spawnSync } from 'node:child_process';

/**
 * Whether a system program a test leans on is missing: false when it is there, else the reason to skip, for the `skip`
 * option of node:test.
 * @throws Error instead of a reason when CERALACCA_REQUIRE_ALL=1: a build that must prove everything skips nothing
 */
export function needs(program: string): string | false {
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' }).status === 0;
  if (found) return false;
  const reason = `${program} is not installed`;
  if (process.env.CERALACCA_REQUIRE_ALL === '1') throw new Error(reason);
  return reason;
}
