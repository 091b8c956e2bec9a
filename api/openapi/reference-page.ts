import { escapeHtml } from '../../core/escape-html.ts';
import type { OpenApiDocument } from './document.ts';
import type { JsonSchema } from './json-schema.ts';

/** The document as one page to read, without scripts. */
export function referencePage(document: OpenApiDocument): string {
  const tags = document.tags as { name: string; description: string }[];
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      ...(operation as unknown as Shown),
    })),
  );
  const of = (tag: string) => operations.filter((operation) => operation.tags.includes(tag));
  const menu = tags.map(
    ({ name }) =>
      `<li><a href="#${name}">${name}</a><ul>${of(name)
        .map(({ operationId, summary }) => `<li><a href="#${operationId}">${escapeHtml(summary)}</a></li>`)
        .join('')}</ul></li>`,
  );
  const sections = tags.map(
    ({ name, description }) =>
      `<section><h2 id="${name}">${name}</h2><p>${escapeHtml(description)}</p>${of(name).map(article).join('')}</section>`,
  );
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `<h3 id="schema-${name}">${name}</h3>${schemaBlock(schema)}`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>LeadEngine API</title>
<meta name="viewport" content="width=device-width"><style>${REFERENCE_STYLE}</style></head><body>
<nav><h1>LeadEngine API</h1><p><a href="openapi.json">openapi.json</a></p><ul>${menu.join('')}<li><a href="#schemas">Schemas</a></li></ul></nav>
<main><p>Base path <code>/api/v1</code>; <code>Authorization: Bearer &lt;key&gt;</code> or <code>X-API-Key</code>.</p>
${sections.join('')}<section><h2 id="schemas">Schemas</h2>${schemas.join('')}</section></main></body></html>`;
}

interface Shown {
  tags: string[];
  operationId: string;
  summary: string;
  description: string;
  parameters: { name: string; in: string; required: boolean; description?: string; schema: JsonSchema }[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<
    string,
    { description: string; content?: Record<string, { schema: JsonSchema; example?: unknown }> }
  >;
}

function article({ path, method, ...operation }: Shown & { path: string; method: string }): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const rows = parameters.map(
    ({ name, in: place, required, description: says = '', schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${escapeHtml(says)} ${inline(schema)}</td></tr>`,
  );
  const answers = Object.entries(responses).map(([status, { description: says, content = {} }]) => {
    const bodies = Object.entries(content).map(([type, { schema, example }]) => {
      const shown =
        status < '400' ? `${schemaBlock(schema)}${example ? `<pre>${json(example)}</pre>` : ''}` : '';
      return `<p><code>${type}</code></p>${shown}`;
    });
    return `<tr><td><code>${status}</code></td><td colspan="2">${marked(says)}${bodies.join('')}</td></tr>`;
  });
  const body = Object.values(requestBody?.content ?? {}).map(({ schema }) => schemaBlock(schema));
  return `<article><h3 id="${operationId}">${escapeHtml(summary)}</h3>
<p class="call"><b>${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code></p><p>${marked(description)}</p>
${rows.length > 0 ? `<h4>Parameters</h4><table>${rows.join('')}</table>` : ''}
${body.length > 0 ? `<h4>Body</h4>${body.join('')}` : ''}<h4>Answers</h4><table>${answers.join('')}</table></article>`;
}

/** A schema by its name, or folded up as JSON. */
function schemaBlock(schema: JsonSchema): string {
  if (typeof schema.$ref === 'string') return inline(schema);
  const fields = Object.keys((schema.properties as object | undefined) ?? {});
  const head =
    fields.length > 0 ? fields.map((name) => `<code>${escapeHtml(name)}</code>`).join(' ') : 'Schema';
  return `<details><summary>${head}</summary><pre>${json(schema)}</pre></details>`;
}

function inline(schema: JsonSchema): string {
  const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined;
  return name
    ? `<a href="#schema-${name}">${name}</a>`
    : `<code class="schema">${escapeHtml(JSON.stringify(schema))}</code>`;
}

/** Links to other schemas in place of their references. */
const json = (value: unknown): string =>
  escapeHtml(JSON.stringify(value, null, 2)).replace(
    /#\/components\/schemas\/(\w+)/g,
    (_, name: string) => `<a href="#schema-${name}">${name}</a>`,
  );

const marked = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');

export const REFERENCE_STYLE = `
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1d2127;display:flex}
nav{flex:0 0 18rem;height:100vh;overflow:auto;position:sticky;top:0;padding:0 1rem;background:#f5f6f8;font-size:.85rem;box-sizing:border-box}
nav h1{font-size:1.1rem}nav ul{list-style:none;padding-left:.6rem}main{min-width:0;max-width:56rem;padding:1rem 2rem}
a{color:#0b5fb0;text-decoration:none}a:hover{text-decoration:underline}article{border-top:1px solid #dde1e6;padding-bottom:1rem}
code,pre{font:.85em/1.45 ui-monospace,monospace;overflow-wrap:anywhere}pre{background:#f5f6f8;padding:.8rem;overflow:auto}
table{border-collapse:collapse;width:100%}td{border-top:1px solid #dde1e6;padding:.35rem .6rem .35rem 0;vertical-align:top}
summary{cursor:pointer}.call{background:#eef3f9;padding:.4rem .7rem}.schema{color:#667}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto}}
`;
