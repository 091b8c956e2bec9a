import type { Block } from '../../../scraping/extraction/content/blocks.ts';
import { splitWords } from '../scores.ts';

/**
 * The share of each block that is in the labelled text, 0 to 1: 1 if its words occur in a row, else
 * the share of its four-word runs.
 */
export function labelBlocks(blocks: readonly Block[], content: string): number[] {
  const words = splitWords(content);
  const text = ` ${words.join(' ')} `;
  const lines = new Map<string, number>();
  for (const line of content.split('\n').map((each) => splitWords(each).join(' '))) {
    if (line !== '') lines.set(line, (lines.get(line) ?? 0) + 1);
  }
  const runs = new Set(words.map((_, at) => words.slice(at, at + 4).join(' ')));
  const used = new Map<string, number>();

  const first = blocks.map((block) => {
    const own = splitWords(block.text);
    const line = own.join(' ');
    if (own.length === 0) return Number.NaN;
    if (own.length < 5) {
      // Short texts occur anywhere: content if they are a line of their own, else undecided and
      // labelled like their neighbours.
      const left = (lines.get(line) ?? 0) - (used.get(line) ?? 0);
      used.set(line, (used.get(line) ?? 0) + 1);
      if (left > 0) return 1;
      return text.includes(` ${line} `) && !lines.has(line) ? Number.NaN : 0;
    }
    if (text.includes(` ${line} `)) {
      const times = text.split(` ${line} `).length - 1;
      used.set(line, (used.get(line) ?? 0) + 1);
      return (used.get(line) ?? 0) <= times ? 1 : 0;
    }
    const found = own.slice(3).filter((_, at) => runs.has(own.slice(at, at + 4).join(' '))).length;
    return found / (own.length - 3);
  });
  return first.map((label, at) => {
    if (!Number.isNaN(label)) return label;
    const near: [number, number] = [near1(first, at, -1), near1(first, at, 1)];
    return (near[0] + near[1]) / 2 >= 0.5 && Math.max(...near) > 0.5 ? 1 : 0;
  });

  function near1(labels: readonly number[], at: number, step: number): number {
    for (let other = at + step; other >= 0 && other < labels.length; other += step) {
      const label = labels[other] ?? 0;
      if (!Number.isNaN(label)) return label;
    }
    return 0;
  }
}
