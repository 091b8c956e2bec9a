import { loadavg } from 'node:os';

/** One line of the table. */
export interface Figure {
  part: string;
  name: string;
  value: number;
  unit: '/s' | 'ms' | 'KB' | 'MB' | 'ratio' | 'count';
  /** Settings, for peers; or a note for the reader. */
  note?: string;
  /** The ceiling in this run, or what the value is compared with. */
  ceiling?: { name: string; value: number };
  target?: Target;
  /** Each round's value; `value` is their median. */
  rounds?: number[];
  /** Processor time per job in microseconds, by process and in total. */
  cpuMicros?: Record<string, number>;
  /** 1-minute load average when it was measured. */
  load: number;
}

/** `of` says what is compared with `bound`: the value itself, or its ratio to the ceiling. */
export interface Target {
  of: 'value' | 'ratio';
  atLeast?: number;
  atMost?: number;
}

export interface Report {
  add(figure: Omit<Figure, 'load'>): void;
  readonly figures: readonly Figure[];
}

/** Reports each figure on standard error as it comes; a run takes minutes. */
export function createReport(): Report {
  const figures: Figure[] = [];
  return {
    figures,
    add: (given) => {
      const figure = { ...given, load: Math.round((loadavg()[0] ?? 0) * 100) / 100 };
      figures.push(figure);
      process.stderr.write(`  ${rowOf(figure).filter(Boolean).join('  ')}\n`);
    },
  };
}

export const ratioOf = ({ value, ceiling }: Figure): number | undefined =>
  ceiling ? value / ceiling.value : undefined;

/** Whether its target is met; undefined if there is none. */
export function isMet(figure: Figure): boolean | undefined {
  const { target } = figure;
  if (!target) return undefined;
  const compared = target.of === 'value' ? figure.value : (ratioOf(figure) ?? Number.NaN);
  return compared >= (target.atLeast ?? Number.NEGATIVE_INFINITY) && compared <= (target.atMost ?? Infinity);
}

const HEAD = ['part', 'measured', 'figure', 'compared with', 'ratio', 'target', '', 'CPU a job'];

export function formatTable(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

function rowOf(figure: Figure): string[] {
  const { part, name, note, ceiling, unit } = figure;
  const ratio = ratioOf(figure);
  const met = isMet(figure);
  return [
    part,
    note ? `${name} (${note})` : name,
    withUnit(figure.value, unit),
    ceiling ? `${ceiling.name} ${withUnit(ceiling.value, unit)}` : '',
    ratio === undefined ? '' : ratio.toFixed(2),
    targetText(figure),
    met === undefined ? '' : met ? 'ok' : 'short',
    cpuText(figure),
  ];
}

function cpuText({ cpuMicros }: Figure): string {
  if (!cpuMicros) return '';
  const { total = 0, ...each } = cpuMicros;
  const parts = Object.entries(each).map(([name, micros]) => `${name} ${Math.round(micros)}`);
  return `${parts.join(' + ')} = ${Math.round(total)} µs`;
}

function targetText({ target, unit }: Figure): string {
  if (!target) return '';
  const show = (bound: number) => (target.of === 'ratio' ? bound.toFixed(2) : withUnit(bound, unit));
  return target.atLeast !== undefined ? `>= ${show(target.atLeast)}` : `<= ${show(target.atMost ?? 0)}`;
}

function withUnit(value: number, unit: Figure['unit']): string {
  if (unit === 'ratio') return value.toFixed(2);
  const digits = unit === 'ms' || unit === 'KB' || value < 100 ? 1 : 0;
  const [whole = '', fraction] = value.toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const number = fraction ? `${grouped}.${fraction}` : grouped;
  return unit === 'count' ? number : unit === '/s' ? `${number}/s` : `${number} ${unit}`;
}
