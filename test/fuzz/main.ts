// npm run fuzz -- [--seconds N] [--target NAME]... [--seed S] [--grow]: every target in turn, or those named.
// npm run fuzz -- --target NAME --replay FILE: one input.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Finding, type FuzzResult, fuzz, replay, targets } from './engine/fuzz.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: targets() },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    grow: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});

function described(name: string, { hunt, findings, grown }: FuzzResult): string {
  if (hunt === undefined) return `${name}: hung again and again, ${findings.length} findings`;
  const { runs, milliseconds, lines, seeds, kept, slowest } = hunt;
  return (
    `${name}: ${runs} runs, ${Math.round((runs / milliseconds) * 1000)} a second, ${seeds} seeds, ` +
    `${kept.length} new${grown.length > 0 ? ` (${grown.length} added)` : ''}, ` +
    `${lines.reached} of ${lines.all} lines (${Math.round((lines.reached / lines.all) * 100)} %), ` +
    `slowest ${Math.round(slowest.milliseconds)} ms for ${slowest.octets} octets: ${findings.length} findings`
  );
}

function complaint(name: string, { failure, path, alone }: Finding): string {
  const again =
    path === undefined
      ? `npm run fuzz -- --target ${name} --seed ${values.seed} --seconds ${values.seconds}`
      : `npm run fuzz -- --target ${name} --replay ${path}`;
  return `${failure.text}\n${alone ? '' : 'It does not show with this input alone.\n'}Again: ${again}\n`;
}

let failed = false;
if (values.replay !== undefined) {
  for (const name of values.target) {
    const failure = await replay(name, readFileSync(values.replay));
    console.log(`${name}: ${failure?.text ?? 'nothing wrong'}`);
    failed ||= failure !== undefined;
  }
} else {
  for (const name of values.target) {
    const { seconds, seed, grow } = values;
    const result = await fuzz(name, { seconds: Number(seconds), seed, grow });
    console.log(described(name, result));
    for (const finding of result.findings) console.log(`\n${complaint(name, finding)}`);
    failed ||= result.findings.length > 0;
  }
}
process.exit(failed ? 1 : 0);
