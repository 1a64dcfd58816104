import { legalInstant } from '../../registro/index.js';
import type { Availability } from '../availability.js';
import type { Statistics } from '../collect.js';
import { type CountName, countNames } from '../counts.js';
import type { DelaySummary } from '../delays.js';
import { barChart } from './chart.js';

/** Everything is in the page: no script, nothing fetched. */
const STYLE = `
:root { color-scheme: light dark; --line: #767676; --out: #1f5fa8; --in: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --line: #9a9a9a; --out: #7db4f2; --in: #f0a376; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.25; } [lang=en] { font-style: italic; }
table { border-collapse: collapse; margin-bottom: 1.5rem; } caption { text-align: left; padding-bottom: .25rem; }
th, td { border: 1px solid var(--line); padding: .25rem .5rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } .wide { overflow-x: auto; }
svg { width: 100%; height: auto; } svg text { font: 10px system-ui, sans-serif; fill: currentColor; }
.out { fill: var(--out); } .in { fill: var(--in); } .axis { stroke: var(--line); }
@media print { body { max-width: none; } }
`;

/** One self-contained page, Italian first. */
export function statisticsHtml(statistics: Statistics): string {
  const { gestore, from, to, days, total } = statistics;
  const names = Object.keys(countNames) as CountName[];
  const bars = (name: CountName, style: string) =>
    barChart(
      days.map(({ day, counts }) => ({ label: day, value: counts[name] })),
      { style, title: `${words(name)}, per giorno` },
    );
  return `<!DOCTYPE html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Statistiche: ${escaped(gestore)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Statistiche di ${escaped(gestore)}</h1>
<p>Dal ${legalInstant(from)} al ${legalInstant(to)}, ora legale italiana. <span lang="en">Legal time of Italy.</span></p>
${section('Buste inviate', 'Envelopes sent', bars('busteInviate', 'out'))}
${section('Buste ricevute', 'Envelopes received', bars('busteRicevute', 'in'))}
${section('Totali', 'Totals', totals(names, total))}
${section('Disponibilità', 'Availability', availability(statistics.availability))}
${section('Tempi', 'Delays', delays(statistics))}
${section('Caselle', 'Mailboxes', mailboxes(statistics))}
${section('Giorno per giorno', 'Day by day', byDay(names, days))}
</body>
</html>
`;
}

const section = (italian: string, english: string, body: string): string =>
  `<section>\n<h2>${italian} <span lang="en">(${english})</span></h2>\n<div class="wide">${body}</div>\n</section>`;

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const cells = (row: readonly (string | number)[]): string =>
    row
      .map((cell, index) =>
        index === 0 ? `<th scope="row">${escaped(String(cell))}</th>` : `<td>${escaped(String(cell))}</td>`,
      )
      .join('');
  return `<table>
<thead><tr>${head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n')}</tbody>
</table>`;
};

const totals = (names: readonly CountName[], total: Statistics['total']): string =>
  table(
    ['Che cosa', 'Quante'],
    names.map((name) => [`${words(name)} (${countNames[name]})`, total[name]]),
  );

const byDay = (names: readonly CountName[], days: Statistics['days']): string =>
  table(
    ['Giorno', ...names.map(words)],
    days.map(({ day, counts }) => [day, ...names.map((name) => counts[name])]),
  );

function availability(periods: readonly Availability[]): string {
  if (periods.length === 0)
    return '<p>Nessuna osservazione. <span lang="en">Nothing was observed.</span></p>';
  return table(
    ['Quadrimestre', 'Disponibilità', 'Almeno 99,8 %', 'Interruzioni', 'La più lunga'],
    periods.map(({ period, share, meets, outages, longest }) => [
      period,
      `${(100 * share).toFixed(3).replace('.', ',')} %`,
      meets ? 'sì' : 'no',
      outages,
      longest === null ? 'nessuna' : `${legalInstant(longest.from)}, ${seconds(longest.to - longest.from)}`,
    ]),
  );
}

function delays({ acceptance, delivery }: Statistics): string {
  const row = (name: string, { count, p50, p95, p99, longest }: DelaySummary) => [
    name,
    count,
    ...[p50, p95, p99, longest].map((ms) => (ms === null ? '-' : seconds(ms))),
  ];
  return table(
    ['Dall’invio', 'Quanti', 'Metà entro', '95 % entro', '99 % entro', 'Il più lungo'],
    [row('all’accettazione', acceptance), row('alla consegna', delivery)],
  );
}

const mailboxes = ({ mailboxes: counts }: Statistics): string =>
  table(
    ['Dominio', 'Attive', 'Sospese', 'Revocate'],
    counts.map(({ domain, active, suspended, revoked }) => [domain, active, suspended, revoked]),
  );

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).replace('.', ',')} s`;

/** `busteInviate` as people read it. */
const words = (name: CountName): string => {
  const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
