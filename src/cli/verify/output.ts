import { type EvidenceReport, reportsHtml, reportText } from '../../evidence/index.js';
import { printable } from '../../mime/index.js';
import type { Call } from '../command.js';

/** Where reports go. */
export interface Output {
  /** Before the first. */
  begin(): void;
  add(report: EvidenceReport): void;
  end(): void;
}

/** Text and JSON are written as they come, so that a thousand reports need the memory of one; a page has a summary first. */
export function outputOf(call: Call): Output {
  if (call.json) return json(call);
  return call.flag('html') ? html(call) : text(call);
}

function text({ surroundings }: Call): Output {
  let first = true;
  return {
    begin() {},
    add(report) {
      surroundings.out(`${first ? '' : '\n'}${reportText(report)}`);
      first = false;
    },
    end() {},
  };
}

/** One array. */
function json({ surroundings }: Call): Output {
  let first = true;
  return {
    begin: () => surroundings.out('['),
    add(report) {
      const lines = JSON.stringify(report, null, 2).replaceAll('\n', '\n  ');
      surroundings.out(`${first ? '' : ','}\n  ${lines.split('\n').map(printable).join('\n')}`);
      first = false;
    },
    end: () => surroundings.out(first ? ']\n' : '\n]\n'),
  };
}

function html({ surroundings }: Call): Output {
  const reports: EvidenceReport[] = [];
  return {
    begin() {},
    add: (report) => void reports.push(report),
    end: () => surroundings.out(reportsHtml(reports)),
  };
}
