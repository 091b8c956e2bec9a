import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/**
 * Which layer may import which. Arrows run one way: core ← runtime ← { db, queue, scraping, storage } ← dispatch ← { api, workers }.
 * Each worker and each room of `scraping/` is a layer of its own. A layer may always import itself and the layers below it that
 * are named here.
 */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  runtime: ['core'],
  db: ['core', 'runtime'],
  queue: ['core', 'runtime'],
  storage: ['core', 'runtime'],
  'scraping/wire': [],
  'scraping/egress': ['core', 'runtime', 'scraping/wire'],
  'scraping/politeness': ['core', 'runtime'],
  'scraping/response': ['core', 'runtime', 'scraping/extraction'],
  'scraping/fetching': ['core', 'runtime', 'scraping/politeness'],
  'scraping/extraction': ['core', 'runtime'],
  'scraping/http': [
    ...['core', 'runtime', 'scraping/wire', 'scraping/egress', 'scraping/politeness', 'scraping/fetching'],
    ...['scraping/extraction', 'scraping/response'],
  ],
  'scraping/browser': [
    ...['core', 'runtime', 'scraping/egress', 'scraping/politeness', 'scraping/fetching'],
    ...['scraping/extraction', 'scraping/response'],
  ],
  'scraping/engine': [
    ...['core', 'runtime', 'scraping/politeness', 'scraping/fetching', 'scraping/extraction'],
    ...['scraping/response', 'scraping/http', 'scraping/browser'],
  ],
  'scraping/crawl': ['core', 'runtime', 'scraping/extraction', 'scraping/response', 'scraping/http'],
  'scraping/leads': ['core', 'runtime', 'scraping/fetching', 'scraping/extraction', 'scraping/http'],
  dispatch: ['core', 'runtime', 'db', 'queue', 'scraping', 'storage'],
  mcp: ['core', 'runtime'],
  api: ['core', 'runtime', 'db', 'queue', 'storage', 'dispatch', 'mcp'],
  'workers/consumer': ['core', 'runtime', 'db', 'queue'],
  'workers/analytics': ['core', 'runtime', 'db', 'queue', 'dispatch', 'workers/consumer'],
  'workers/notifier': ['core', 'runtime', 'db', 'queue', 'scraping', 'dispatch', 'workers/consumer'],
  'workers/scraper': [
    ...['core', 'runtime', 'db', 'queue', 'scraping', 'storage', 'dispatch', 'workers/consumer'],
  ],
  supervisor: ['core', 'runtime', 'db'],
  // For programs of users: it knows the HTTP API alone, and runs in browsers too.
  sdk: [],
  // Starts a server as a process, by scripts/start.mjs.
  cli: ['sdk'],
};

/** Modules by which a program touches the world outside; core has no business there. */
const INPUT_OUTPUT =
  /^node:(child_process|cluster|dgram|dns|fs|http|http2|https|inspector|net|os|process|readline|repl|timers|tls|tty|worker_threads)(\/|$)/;

/** Beside its subfolders and the tests of its files. */
const MOST_FILES_OF_A_FOLDER = 20;

const root = join(import.meta.dirname, '..');

interface SourceFile {
  path: string;
  layer: string;
  isTest: boolean;
  code: string;
  /** Paths of this repository, as far as they are relative; else names of packages. */
  imports: string[];
}

const files = [...new Set(Object.keys(MAY_IMPORT).map(topFolderOf))].flatMap(sourcesIn);
const product = files.filter(({ isTest }) => !isTest);

describe('the layers', () => {
  test('every layer is a folder with code in it', () => {
    expect(Object.keys(MAY_IMPORT).filter((layer) => !files.some((file) => file.layer === layer))).toEqual(
      [],
    );
  });

  test('URLs are parsed by parseUrl, since URL.canParse is wrong on Node 20', () => {
    expect(product.filter(({ code }) => code.includes('URL.canParse(')).map(({ path }) => path)).toEqual([]);
  });

  test('every file is in a layer', () => {
    expect(files.filter(({ layer }) => layer === '').map(({ path }) => path)).toEqual([]);
  });

  test.each(Object.keys(MAY_IMPORT))('%s imports only what it may know', (layer) => {
    const wrong = files
      .filter((file) => file.layer === layer)
      .flatMap((file) =>
        file.imports
          .filter((target) => existsSync(join(root, target)) && !mayImport(file, target))
          .map((target) => `${file.path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('no files import each other in a circle, types counted too', () => {
    expect(circlesOf(new Map(product.map(({ path, imports }) => [path, imports])))).toEqual([]);
  });

  test('no folder has more files than can be read at a glance', () => {
    const counts = new Map<string, number>();
    // Migrations are a numbered list that only grows: nobody looks for something in it.
    const others = product.filter(({ path }) => dirname(path) !== 'db/migrations');
    for (const { path } of others) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > MOST_FILES_OF_A_FOLDER)).toEqual([]);
  });

  test('core does no input or output', () => {
    const wrong = product
      .filter(({ layer }) => layer === 'core')
      .flatMap(({ path, imports }) =>
        imports.filter((target) => INPUT_OUTPUT.test(target)).map((target) => `${path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('the edges', () => {
  const using = (pattern: RegExp) => product.filter(({ code }) => pattern.test(code)).map(({ path }) => path);

  test('only runtime/settings/config.ts reads the environment of a server', () => {
    // The supervisor hands its own environment on to the processes it starts; so does the CLI, which has
    // variables of its own.
    expect(using(/\bprocess\.env\b/).sort()).toEqual([
      ...['cli/main.ts', 'runtime/settings/config.ts', 'supervisor/main.ts'],
    ]);
  });

  /** What is made elsewhere, test/integration/explain.test.ts would not know. */
  test('only db/ makes statements', () => {
    const others = using(/\bstatement\(\s*['"`]/).filter((path) => !path.startsWith('db/'));
    expect(others).toEqual([]);
    expect(using(/\bstatement\(\s*['"`]/).length).toBeGreaterThan(20);
  });

  test('only a composition root ends its process', () => {
    const others = using(/\bprocess\.exit\(/).filter((path) => !path.endsWith('/main.ts'));
    expect(others).toEqual(['runtime/process/process.ts', 'runtime/process/run-process.ts']);
  });
});

function mayImport({ layer, isTest }: SourceFile, target: string): boolean {
  const to = layerOf(target);
  if (to === layer) return true;
  if (isTest && topFolderOf(target) === 'test') return true;
  const allowed = MAY_IMPORT[layer] ?? [];
  return allowed.includes(to) || allowed.includes(topFolderOf(target));
}

/** The circles as the paths of their files (strongly connected components, Tarjan 1972). */
function circlesOf(graph: ReadonlyMap<string, string[]>): string[][] {
  const circles: string[][] = [];
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (path: string) => {
    numbers.set(path, numbers.size);
    lowest.set(path, numbers.get(path) ?? 0);
    stack.push(path);
    for (const target of graph.get(path) ?? []) {
      if (!graph.has(target)) continue;
      if (!numbers.has(target)) visit(target);
      else if (!stack.includes(target)) continue;
      lowest.set(path, Math.min(lowest.get(path) ?? 0, lowest.get(target) ?? 0));
    }
    if (lowest.get(path) !== numbers.get(path)) return;
    const circle = stack.splice(stack.indexOf(path));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const path of graph.keys()) if (!numbers.has(path)) visit(path);
  return circles;
}

function sourcesIn(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?[jt]sx?$/.test(name) && !/(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => {
      const path = join(folder, name);
      const code = withoutComments(readFileSync(join(root, path), 'utf8'));
      return {
        path,
        layer: layerOf(path),
        isTest: /\.test\.ts$/.test(name),
        code,
        imports: importsOf(path, code),
      };
    });
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** `… from 'x'`, `import 'x'` and `import('x')`. */
function importsOf(path: string, code: string): string[] {
  const from = /(?:^[^'"`\n]*\bfrom|^\s*import|\bimport\s*\()\s*['"]([^'"]+)['"]/gm;
  return [...code.matchAll(from)].map(([, target = '']) =>
    target.startsWith('.') ? relative(root, join(root, dirname(path), target)) : target,
  );
}

/** Empty where no layer holds it. */
function layerOf(path: string): string {
  const [top = '', inner = ''] = path.split('/');
  return [`${top}/${inner}`, top].find((layer) => Object.hasOwn(MAY_IMPORT, layer)) ?? '';
}

function topFolderOf(path: string): string {
  return path.split('/')[0] ?? '';
}
