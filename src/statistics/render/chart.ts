/** A bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
}

const WIDTH = 800;
const HEIGHT = 180;
const FOOT = 20;
const LEFT = 50;
/** Labels under the axis, at most. */
const LABELS = 10;

/** Bars as SVG; a table beside it says the same to those who do not see it. @param style class of the bars */
export function barChart(
  bars: readonly Bar[],
  { style, title }: { readonly style: string; readonly title: string },
): string {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const room = HEIGHT - FOOT;
  const step = (WIDTH - LEFT) / Math.max(1, bars.length);
  const every = Math.ceil(bars.length / LABELS);
  const drawn = bars.map(({ label, value }, index) => {
    const height = (value / most) * (room - 10);
    const x = (LEFT + index * step).toFixed(1);
    const rect = `<rect class="${style}" x="${x}" y="${(room - height).toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${height.toFixed(1)}"/>`;
    return index % every === 0 ? `${rect}<text x="${x}" y="${HEIGHT - 5}">${label}</text>` : rect;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}; massimo ${most}">
<text x="0" y="10">${most}</text><text x="0" y="${room}">0</text>
<line class="axis" x1="${LEFT}" y1="${room}" x2="${WIDTH}" y2="${room}"/>
${drawn.join('')}
</svg>`;
}
