import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/**
 * Who may know whom. Arrows run one way: core ← runtime ← { db, queue, scraping, storage } ← dispatch ← { api, workers }.
 * A worker's folder is a layer of its own, so that two workers never meet.
 */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  runtime: ['core'],
  db: ['core', 'runtime'],
  queue: ['core', 'runtime'],
  scraping: ['core', 'runtime'],
  storage: ['core', 'runtime'],
  dispatch: ['core', 'runtime', 'db', 'queue', 'scraping', 'storage'],
  api: ['core', 'runtime', 'db', 'queue', 'storage', 'dispatch'],
  workers: ['core', 'runtime', 'db', 'queue', 'scraping', 'storage', 'dispatch'],
  supervisor: ['core', 'runtime', 'db'],
  // They know the HTTP API alone, and the types that describe it.
  sdk: ['core'],
  dashboard: [],
};

/** Modules by which a program touches the world outside; core has no business there. */
const INPUT_OUTPUT =
  /^node:(child_process|cluster|dgram|dns|fs|http|http2|https|inspector|net|os|process|readline|repl|timers|tls|tty|worker_threads)(\/|$)/;

const root = join(import.meta.dirname, '..');

interface SourceFile {
  path: string;
  /** `core`, `db`, …, or `workers/scraper`. */
  layer: string;
  isTest: boolean;
  code: string;
  imports: string[];
}

const files = Object.keys(MAY_IMPORT).flatMap(sourcesIn);

describe('the layers', () => {
  test('there are files to look at', () => {
    for (const folder of ['core', 'runtime', 'db', 'queue', 'scraping']) {
      expect(files.some(({ layer }) => layer === folder)).toBe(true);
    }
  });

  test.each(Object.keys(MAY_IMPORT))('%s imports only what it may know', (folder) => {
    const wrong = files
      .filter(({ layer }) => folderOf(layer) === folder)
      .flatMap((file) =>
        file.imports
          .filter((target) => target.startsWith('.'))
          .map((target) => relative(root, join(root, dirname(file.path), target)))
          .filter((target) => !mayImport(file, target))
          .map((target) => `${file.path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('core does no input or output', () => {
    const wrong = files
      .filter(({ layer, isTest }) => layer === 'core' && !isTest)
      .flatMap(({ path, imports }) =>
        imports.filter((target) => INPUT_OUTPUT.test(target)).map((target) => `${path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('the sdk takes only types from core', () => {
    const wrong = files
      .filter(({ layer }) => layer === 'sdk')
      .filter(({ code }) => /^import (?!type\b)[^;]*from '[^']*\/core\//m.test(code));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('the edges', () => {
  const using = (pattern: RegExp) =>
    files.filter(({ isTest, code }) => !isTest && pattern.test(code)).map(({ path }) => path);

  test('only runtime/config.ts reads the environment', () => {
    // The supervisor hands its own environment on to the processes it starts.
    expect(using(/\bprocess\.env\b/)).toEqual(['runtime/config.ts', 'supervisor/main.ts']);
  });

  test('only a composition root ends its process', () => {
    const others = using(/\bprocess\.exit\(/).filter((path) => !path.endsWith('/main.ts'));
    expect(others).toEqual(['runtime/lifecycle.ts', 'runtime/process.ts']);
  });
});

function mayImport({ layer, isTest }: SourceFile, target: string): boolean {
  const to = layerOf(target);
  if (to === layer) return true;
  if (isTest && folderOf(to) === 'test') return true;
  return (MAY_IMPORT[folderOf(layer)] ?? []).includes(to);
}

function sourcesIn(folder: string): SourceFile[] {
  const names = namesIn(join(root, folder)).filter((name) => /\.[cm]?[jt]sx?$/.test(name));
  return names.map((name) => {
    const path = join(folder, name);
    const code = withoutComments(readFileSync(join(root, path), 'utf8'));
    const isTest = /\.test\.ts$/.test(name);
    return { path, layer: layerOf(path), isTest, code, imports: importsOf(code) };
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.includes('node_modules'),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** `… from 'x'`, `import 'x'` and `import('x')`. */
function importsOf(code: string): string[] {
  const from = /(?:^[^'"`\n]*\bfrom|^\s*import|\bimport\s*\()\s*['"]([^'"]+)['"]/gm;
  return [...code.matchAll(from)].map(([, target]) => target ?? '');
}

function layerOf(path: string): string {
  const [folder = '', inner = ''] = path.split('/');
  return folder === 'workers' ? `workers/${inner}` : folder;
}

function folderOf(layer: string): string {
  return layer.split('/')[0] ?? '';
}
