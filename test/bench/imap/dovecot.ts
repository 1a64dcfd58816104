/** Dovecot 2.3 as an ordinary user, all it writes in a folder of its own, IMAP in clear on loopback. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, NEWCOMERS, newcomer, PASSWORD, USER } from './contender.js';
import { RawClient } from './raw-client.js';

/** How it keeps mail: sdbox, mdbox or maildir. */
export const FORMAT = process.env.CERALACCA_BENCH_DOVECOT ?? 'sdbox';
const ATTEMPTS = 100;

/** Its version, or undefined when it is not installed. */
export function dovecotVersion(): string | undefined {
  const { status, stdout } = spawnSync('dovecot', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split(' ')[0] : undefined;
}

/** Who runs it: root does not, nobody does. */
interface Runner {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

function runner(): Runner {
  const { uid, gid, username } = userInfo();
  const group = (id: number): string =>
    spawnSync('getent', ['group', String(id)], { encoding: 'utf8' }).stdout.split(':')[0] || String(id);
  return uid === 0
    ? { name: 'nobody', group: group(65_534), uid: 65_534, gid: 65_534 }
    : { name: username, group: group(gid), uid, gid };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** mail_fsync=always: what it answers OK is on the disk, as ours. Its indexes stand beside the mail and are kept. */
const configuration = (folder: string, port: number, { name, group }: Runner): string => `
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = ${name}
default_internal_user = ${name}
default_internal_group = ${group}
mail_location = ${FORMAT}:${folder}/mail/%u
auth_cache_size = 10M
mail_fsync = always
default_process_limit = 100
default_client_limit = 2000
mail_max_userip_connections = 1000
namespace inbox {
  inbox = yes
  separator = /
}
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = static
  args = uid=${name} gid=${group} home=${folder}/home
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  process_min_avail = 2
  service_count = 256
}
`;

/** @param passwordHash the newcomers', argon2id in the PHC form: both verify the same one */
export async function startDovecot(folder: string, passwordHash: string): Promise<Contender> {
  const who = runner();
  const port = await freePort();
  for (const each of ['', 'run', 'mail', 'home']) {
    await mkdir(join(folder, each), { recursive: true });
    await chown(join(folder, each), who.uid, who.gid);
  }
  const newcomers = Array.from(
    { length: NEWCOMERS },
    (_, number) => `${newcomer(number)}:{ARGON2ID}${passwordHash}\n`,
  );
  // Ours remembers a verified password for some minutes: the one it measures sessions with costs Dovecot nothing either.
  await writeFile(join(folder, 'users'), `${USER}:{PLAIN}${PASSWORD}\n${newcomers.join('')}`);
  const file = join(folder, 'dovecot.conf');
  await writeFile(file, configuration(folder, port, who));
  const child = spawn('dovecot', ['-F', '-c', file], {
    stdio: 'inherit',
    ...(userInfo().uid === 0 ? { uid: who.uid, gid: who.gid } : {}),
  });
  const exited = once(child, 'exit');
  await answering(port, folder);
  return {
    name: 'Dovecot',
    port,
    settled: () => Promise.resolve(),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function answering(port: number, folder: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const client = await RawClient.open(port).catch(() => undefined);
    if (client !== undefined) return client.logout();
    await sleep(100);
  }
  throw new Error(`Dovecot does not answer: ${await readFile(join(folder, 'dovecot.log'), 'utf8')}`);
}
