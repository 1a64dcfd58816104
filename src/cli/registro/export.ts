import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Day } from '../../registro/index.js';
import { type Call, CommandError, type Run, UsageError } from '../command.js';
import { withSigner } from '../signer.js';
import { type Workplace, withStore } from '../store.js';

export const run: Run = async (call) => {
  const [day, from, to] = await Promise.all(['day', 'from', 'to'].map((name) => named(call, name)));
  const out = call.option('out');
  if (day !== undefined && from === undefined && to === undefined) {
    return withStore(call, (place) => exportDay(call, place, day.name, out));
  }
  if (day !== undefined || from === undefined || to === undefined || out === undefined)
    throw new UsageError('either --day, or --from, --to and --out');
  const vat = call.option('vat') ?? '';
  if (!/^\d{11}$/.test(vat))
    throw new UsageError('--vat: the eleven digits of the partita IVA of the gestore');
  if (from.from > to.from) throw new UsageError(`--from ${from.name} is after --to ${to.name}`);
  return withStore(call, (place) => exportPackage(call, place, { from: from.name, to: to.name, out, vat }));
};

/** @throws UsageError */
async function named(call: Call, option: string): Promise<Day | undefined> {
  const text = call.option(option);
  if (text === undefined) return undefined;
  const { dayNamed } = await import('../../registro/index.js');
  const day = dayNamed(text);
  if (day === undefined) throw new UsageError(`--${option} ${text}: not a day such as 2026-11-22`);
  return day;
}

async function exportDay(
  call: Call,
  place: Workplace,
  day: string,
  out: string | undefined,
): Promise<number> {
  const { pathsOf, sealOf } = await import('../../registro/index.js');
  const seal = await sealOf(place.store, day);
  if (seal === undefined) throw new CommandError(`${day} is not sealed: "ceralacca registro seal" first`);
  if (seal.state !== 'whole')
    throw new CommandError(`${day} was deleted by its age; its root and stamp are kept`);
  if (seal.fileHash === null)
    throw new CommandError(`${day} has no file yet: "ceralacca registro seal --day ${day}"`);
  const paths = pathsOf(place.config.paths.registro, seal);
  const files = [
    paths.file,
    paths.csv,
    ...(seal.rootToken === null ? [] : [paths.rootStamp]),
    ...(seal.fileToken === null ? [] : [paths.fileStamp]),
  ];
  const written = out === undefined ? files : await copied(files, out, day);
  call.list(
    written.map((file) => ({ file })),
    [['FILE', ({ file }) => file]],
  );
  return 0;
}

/** Copies, named by the whole day. */
async function copied(files: readonly string[], out: string, day: string): Promise<string[]> {
  await mkdir(out, { recursive: true, mode: 0o700 });
  const written: string[] = [];
  for (const file of files) {
    const target = join(out, `${day.slice(0, 8)}${basename(file)}`);
    await copyFile(file, target);
    await chmod(target, 0o600);
    written.push(target);
  }
  return written;
}

async function exportPackage(
  call: Call,
  { config, store }: Workplace,
  { vat, ...period }: { from: string; to: string; out: string; vat: string },
): Promise<number> {
  const { authoritiesOf, writeConservationPackage } = await import('../../registro/index.js');
  const authorities = await authoritiesOf(config);
  const { index, days } = await withSigner(config, (signer) =>
    writeConservationPackage(
      { store, folder: config.paths.registro, signer, authorities, clock: Date.now },
      {
        ...period,
        provider: { name: config.provider.name, mailDomain: config.provider.mail_domain, vat },
      },
    ),
  );
  if (call.json) call.print(JSON.stringify([{ index, days }], null, 2));
  else call.print(`${index}: ${days} days`);
  return 0;
}
