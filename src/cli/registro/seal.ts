import type { SealRun } from '../../registro/index.js';
import { type Call, CommandError, type Run, UsageError } from '../command.js';
import { withSigner } from '../signer.js';
import { type Workplace, withStore } from '../store.js';
import { sealColumns, sealView } from './view.js';

export const run: Run = (call) =>
  withStore(call, (place) =>
    withSigner(place.config, async (signer) => {
      const { authoritiesOf, ownTrust, Sealer } = await import('../../registro/index.js');
      const { silentTelemetry } = await import('../../telemetry/index.js');
      const { config, store } = place;
      const telemetry = silentTelemetry();
      const trust = await ownTrust(config);
      const sealer = new Sealer({
        store,
        folder: config.paths.registro,
        signer,
        trust: () => trust,
        gestore: config.provider.name,
        authorities: await authoritiesOf(config),
        clock: Date.now,
        telemetry,
      });
      const day = await overDay(call);
      const run = await (day === undefined ? sealer.sealOpen() : sealer.sealDue(day));
      for (const { name, fields } of telemetry.recorded)
        if (name === 'server.warning') call.remark(`ceralacca: ${fields.reason}`);
      return tell(call, place, run, day);
    }),
  );

/** The day named by --day, that must be over. @throws UsageError, CommandError */
async function overDay(call: Call): Promise<string | undefined> {
  const name = call.option('day');
  if (name === undefined) return undefined;
  const { dayNamed } = await import('../../registro/index.js');
  const day = dayNamed(name);
  if (day === undefined) throw new UsageError(`--day ${name}: not a day such as 2026-11-22`);
  if (day.to > Date.now())
    throw new CommandError(`${name} is not over; without --day a part of it is sealed`);
  return name;
}

async function tell(
  call: Call,
  { config, store }: Workplace,
  { closed, completed, unstamped }: SealRun,
  day: string | undefined,
): Promise<number> {
  const keys = new Map([...closed, ...completed].map((seal) => [`${seal.day} ${seal.part}`, seal]));
  if (day !== undefined && !keys.has(`${day} 0`)) {
    const known = await store.read('findSeal', { day, part: 0 });
    if (known === undefined) throw new CommandError(`${day}: nothing was registered yet`);
    keys.set(`${day} 0`, known);
  }
  const sealed = [...keys.values()];
  const fresh = await Promise.all(
    sealed.map(({ day: name, part }) => store.read('findSeal', { day: name, part })),
  );
  const views = fresh
    .filter((seal) => seal !== undefined)
    .map((seal) => sealView(seal, config.paths.registro));
  views.sort((a, b) => (a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1));
  call.list(views, sealColumns);
  if (unstamped !== null) call.remark(`ceralacca: no time stamp: ${unstamped}`);
  return unstamped === null ? 0 : 1;
}
