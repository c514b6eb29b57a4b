import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colours } from '../shell/theme.js';
import { Table } from './table.js';
import { Time } from './text.js';

/** A curve. `colour`: one of the colours in style.css, such as `blue`. */
export type Series = { readonly label: string; readonly values: readonly (number | null)[]; readonly colour: string };
type ChartProps = {
  readonly title: string;
  /** A sentence that says what the curves show, for people who cannot see them or are in a hurry. */
  readonly summary: string;
  /** The times of the values, in seconds since 1970. */
  readonly at: readonly number[];
  readonly series: readonly Series[];
  /** Horizontal lines with a label. */
  readonly limits?: readonly { readonly value: number; readonly label: string }[];
  readonly textOf: (value: number) => string;
};

const HEIGHT = 180;

/** Draws curves over time, with a sentence and a table that say the same. */
export function Chart(props: ChartProps) {
  const { title, summary, at, series, textOf } = props;
  const readout = useRef<HTMLParagraphElement>(null);
  const place = usePlot(props, readout);
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <p>{summary}</p>
        <ul class="keys">
          {series.map(({ label, colour }) => (
            <li key={label} class={`key ${colour}`}>
              {label}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" aria-hidden="true" />
      <p ref={readout} class="quiet readout" aria-hidden="true" />
      <details>
        <summary>Show as a table</summary>
        <Table
          label={`${title}, by minute`}
          isStacked={false}
          columns={[
            { name: 'Minute', kind: 'heading', cell: (index) => <Time at={(at[index] ?? 0) * 1000} isShort /> },
            ...series.map(({ label, values }) => ({
              name: label,
              kind: 'number' as const,
              cell: (index: number) => valueText(values[index], textOf),
            })),
          ]}
          rows={[...at.keys()].reverse()}
          keyOf={(index) => at[index] ?? 0}
        />
      </details>
    </figure>
  );
}

function valueText(value: number | null | undefined, textOf: (value: number) => string): string {
  return value === null || value === undefined ? '–' : textOf(value);
}

/** Draws into the element of the returned ref, and again when size, data or colours change. */
function usePlot(props: ChartProps, readout: { current: HTMLElement | null }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const shape = `${props.series.map(({ label }) => label).join()} ${colours.value}`;
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsOf(props, element, readout), dataOf(props), element);
    plot.current = made;
    const sized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(props)));
  return place;
}

function dataOf({ at, series }: ChartProps): uPlot.AlignedData {
  return [[...at], ...series.map(({ values }) => [...values])];
}

function optionsOf(props: ChartProps, element: HTMLElement, readout: { current: HTMLElement | null }): uPlot.Options {
  const colourOf = (name: string) => resolvedColour(element, name);
  const axis = { stroke: colourOf('quiet'), grid: { stroke: colourOf('line'), width: 1 }, ticks: { show: false } };
  const limits = props.limits ?? [];
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 24, 0, 0],
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, ...limits.map(({ value }) => value), 1) * 1.1] },
    },
    axes: [axis, { ...axis, size: 56, values: (_plot, values) => values.map((value) => props.textOf(value)) }],
    series: [
      {},
      ...props.series.map(({ colour }) => ({
        stroke: colourOf(colour),
        width: 2,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      draw: [(plot) => drawLimits(plot, limits, colourOf)],
      setCursor: [(plot) => showValues(plot, props, readout.current)],
    },
  };
}

/** Returns a colour as a canvas needs it: a canvas knows neither custom properties nor light-dark(). */
function resolvedColour(element: HTMLElement, name: string): string {
  element.style.color = `var(--${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}

function drawLimits(plot: uPlot, limits: NonNullable<ChartProps['limits']>, colourOf: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([6, 6]);
  for (const { value, label } of limits) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    ctx.strokeStyle = colourOf('amber');
    ctx.fillStyle = colourOf('text');
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'bottom';
    ctx.fillText(label, bbox.left + bbox.width - 4, y - 4);
  }
  ctx.restore();
}

/** Shows the values under the pointer. */
function showValues({ cursor, data }: uPlot, { textOf, series }: ChartProps, readout: HTMLElement | null): void {
  if (!readout) return;
  const [minute, ...values] = data.map((column) => column[cursor.idx ?? -1]);
  const texts = series.map(({ label }, index) => `${label} ${valueText(values[index], textOf)}`);
  const time = minute && new Date(minute * 1000).toLocaleTimeString();
  readout.textContent = time ? [time, ...texts].join(' · ') : '';
}
