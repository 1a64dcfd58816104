import type { EvidenceReport, Finding, Sentence } from '../report.js';
import { attestsHeading, dataRows, verdictMeaning, verdictWords, visible } from './rows.js';

/** Everything is in the page: no script, nothing fetched. Verdicts are words first; colour only adds to them. */
const STYLE = `
:root { color-scheme: light dark; --line: #767676; --ok: #0b6b2c; --open: #7a4b00; --bad: #a3120f; }
@media (prefers-color-scheme: dark) { :root { --line: #9a9a9a; --ok: #6fdc8c; --open: #f5c36b; --bad: #ff9a94; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 0 auto; padding: 1rem; }
article { border-top: 4px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
article article { border-top-width: 1px; margin-left: 1rem; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
.verdict { font-size: 1.25rem; font-weight: bold; border: 2px solid; padding: .5rem .75rem; display: inline-block; margin: 0; }
.PROVEN { color: var(--ok); } .INDETERMINATE { color: var(--open); } .REFUTED { color: var(--bad); }
[lang=en] { font-style: italic; } p, li { overflow-wrap: anywhere; } li { margin-bottom: .5rem; }
li p { margin: 0; } code { font-size: .875rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; }
th, td { border: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { width: 35%; font-weight: 600; } td p { margin: 0; }
@media print { body { max-width: none; } }
`;

/** One self-contained page about all reports, Italian first. */
export function reportsHtml(reports: readonly EvidenceReport[]): string {
  const body = reports.map((report, index) => article(report, `r${index + 1}`, 2)).join('\n');
  return `<!DOCTYPE html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Verifica di posta certificata</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Verifica di posta certificata</h1>
<p lang="en">Verification of certified mail</p>
${summary(reports)}
</header>
<main>
${body}
</main>
</body>
</html>
`;
}

function summary(reports: readonly EvidenceReport[]): string {
  if (reports.length < 2) return '';
  const rows = reports
    .map(
      ({ file, verdict }, index) =>
        `<li><a href="#r${index + 1}">${escaped(file)}</a>: <strong class="${verdict}">${verdictWords[verdict].it}</strong></li>`,
    )
    .join('\n');
  return `<nav aria-label="File verificati"><ul>\n${rows}\n</ul></nav>`;
}

function article(report: EvidenceReport, id: string, level: number): string {
  const { verdict } = report;
  const heading = (text: Sentence, more: number, attributes = ''): string => {
    const tag = `h${Math.min(level + more, 6)}`;
    return `<${tag}${attributes}>${escaped(text.it)} <span lang="en">(${escaped(text.en)})</span></${tag}>`;
  };
  const list = (text: Sentence, items: readonly string[]): string =>
    items.length === 0 ? '' : `${heading(text, 1)}\n<ul>\n${items.join('\n')}\n</ul>`;
  return `<article id="${id}" aria-labelledby="${id}-t">
${heading(report.title, 0, ` id="${id}-t"`)}
<p>File: <bdi>${escaped(report.file)}</bdi></p>
<p class="verdict ${verdict}">${verdictWords[verdict].it} <span lang="en">(${verdictWords[verdict].en})</span></p>
${both(verdictMeaning[verdict])}
${list({ it: 'Perché', en: 'Why' }, report.reasons.map(found))}
${list(attestsHeading[verdict], report.attests.map(item))}
${list({ it: 'Che cosa non prova', en: 'What it does not prove' }, report.doesNotProve.map(item))}
${list({ it: 'Da sapere', en: 'Good to know' }, report.remarks.map(found))}
${list({ it: 'Controlli riusciti', en: 'Checks that hold' }, report.checks.map(found))}
${table(report)}
${report.nested.map((inner, index) => article(inner, `${id}-${index + 1}`, level + 1)).join('\n')}
</article>`;
}

function table(report: EvidenceReport): string {
  const rows = dataRows(report).map(({ label, values }) => {
    const cell = values.map((value) => `<p><bdi>${escaped(value)}</bdi></p>`).join('');
    return `<tr><th scope="row">${escaped(label.it)} <span lang="en">(${escaped(label.en)})</span></th><td>${cell}</td></tr>`;
  });
  if (rows.length === 0) return '';
  return `<table>\n<caption>Dati <span lang="en">(Data)</span></caption>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`;
}

const both = ({ it, en }: Sentence): string => `<p>${escaped(it)}</p><p lang="en">${escaped(en)}</p>`;

const item = (sentence: Sentence): string => `<li>${both(sentence)}</li>`;

const found = (finding: Finding): string => `<li>${both(finding)}<p><code>${finding.code}</code></p></li>`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string =>
  visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
