import type { EvidenceReport, Finding, Sentence } from '../report.js';
import { attestsHeading, dataRows, verdictMeaning, verdictWords, visible } from './rows.js';

const COLUMNS = 79;

/** One report for a terminal: Italian, then English indented under it; no line over 79 columns. */
export const reportText = (report: EvidenceReport): string => `${lines(report, 0).join('\n')}\n`;

function lines(report: EvidenceReport, depth: number): string[] {
  const { verdict } = report;
  const rule = (depth === 0 ? '=' : '-').repeat(COLUMNS);
  return [
    rule,
    ...wrapped(report.file, 0),
    ...wrapped(`${report.title.it} / ${report.title.en}`, 0),
    rule,
    `${verdictWords[verdict].it} / ${verdictWords[verdict].en}`,
    ...pair(verdictMeaning[verdict], 2),
    ...section({ it: 'Perché', en: 'Why' }, report.reasons.flatMap(found)),
    ...section(
      attestsHeading[verdict],
      report.attests.flatMap((sentence) => item(sentence)),
    ),
    ...section(
      { it: 'Che cosa non prova', en: 'What it does not prove' },
      report.doesNotProve.flatMap((sentence) => item(sentence)),
    ),
    ...section({ it: 'Da sapere', en: 'Good to know' }, report.remarks.flatMap(found)),
    ...section({ it: 'Controlli riusciti', en: 'Checks that hold' }, report.checks.flatMap(found)),
    ...section(
      { it: 'Dati', en: 'Data' },
      dataRows(report).flatMap(({ label, values }) => [
        `  ${label.it} / ${label.en}:`,
        ...values.flatMap((value) => wrapped(value, 6)),
      ]),
    ),
    ...report.nested.flatMap((inner) => ['', ...lines(inner, depth + 1)]),
  ];
}

const section = ({ it, en }: Sentence, content: readonly string[]): string[] =>
  content.length === 0 ? [] : ['', ...wrapped(`${it} / ${en}`, 0), ...content];

const found = (finding: Finding): string[] => [`  [${finding.code}]`, ...pair(finding, 4)];

const item = ({ it, en }: Sentence): string[] => [...wrapped(it, 4, '  * '), ...wrapped(en, 4)];

const pair = ({ it, en }: Sentence, indent: number): string[] => [
  ...wrapped(it, indent),
  ...wrapped(en, indent),
];

/** Words in lines of COLUMNS; one that is longer is cut, so that nothing is lost at the edge. */
function wrapped(text: string, indent: number, lead = ' '.repeat(indent)): string[] {
  const room = COLUMNS - indent;
  const rows: string[] = [];
  let row = '';
  for (const word of visible(text)
    .split(' ')
    .flatMap((each) => pieces(each, room))) {
    if (row !== '' && width(row) + 1 + width(word) > room) {
      rows.push(row);
      row = word;
    } else row = row === '' ? word : `${row} ${word}`;
  }
  rows.push(row);
  return rows.map((line, index) => `${index === 0 ? lead : ' '.repeat(indent)}${line}`.trimEnd());
}

const width = (text: string): number => Array.from(text).length;

function pieces(word: string, room: number): string[] {
  const characters = Array.from(word);
  if (characters.length <= room) return [word];
  const cut: string[] = [];
  for (let at = 0; at < characters.length; at += room) cut.push(characters.slice(at, at + room).join(''));
  return cut;
}
