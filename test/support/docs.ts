import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from '@swc/core';
import { buildSdk } from '../../scripts/build-sdk.mjs';

const root = join(import.meta.dirname, '../..');

/** A block of code of a page, by its language, with the heading above it. */
export interface Snippet {
  heading: string;
  language: string;
  code: string;
}

export async function snippetsOf(document: string): Promise<Snippet[]> {
  const text = await readFile(join(root, document), 'utf8');
  const snippets: Snippet[] = [];
  let heading = '';
  for (const [, title, language = '', code = ''] of text.matchAll(
    /^#+ (.+)$|^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm,
  )) {
    if (title !== undefined) heading = title;
    else snippets.push({ heading, language, code });
  }
  return snippets;
}

/** A folder in which `@leadengine/sdk` and the SDK of MCP can be imported, as after installing them. */
export async function createProject(): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'leadengine-docs-'));
  await buildSdk(join(project, 'sdk/dist'));
  await writeFile(join(project, 'sdk/package.json'), await readFile(join(root, 'sdk/package.json')));
  await mkdir(join(project, 'node_modules/@leadengine'), { recursive: true });
  await symlink(join(project, 'sdk'), join(project, 'node_modules/@leadengine/sdk'));
  for (const name of ['@modelcontextprotocol', '@types', 'undici-types', 'zod']) {
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return project;
}

/** What a program printed, and how it ended. */
export interface Run {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export async function run(
  command: string,
  args: string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<Run> {
  try {
    const env = { PATH: process.env.PATH ?? '', ...options.env };
    return { ...(await promisify(execFile)(command, args, { ...options, env })), exitCode: 0 };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { stdout, stderr, exitCode: code };
  }
}

/** Runs TypeScript in a folder below a project, which is made if it is missing. */
export async function runTypeScript(
  code: string,
  { project, folder, env }: { project: string; folder: string; env: Record<string, string> },
): Promise<Run> {
  const cwd = join(project, folder);
  await mkdir(cwd, { recursive: true });
  const compiled = await transform(code, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  await writeFile(join(cwd, 'main.mjs'), compiled.code);
  return run(process.execPath, ['main.mjs'], { cwd, env });
}
