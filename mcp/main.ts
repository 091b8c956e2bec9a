import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { OperatorError } from '../runtime/operator-error.ts';
import { type Config, loadConfig } from '../runtime/settings/config.ts';
import { createApiClient } from './api-client.ts';
import { createMcpServer } from './server.ts';

/**
 * MCP over standard input and output, for an agent that starts this process. It talks to an API
 * over HTTP. Standard output belongs to the protocol, so there is no log; what goes wrong at the
 * start is one line on standard error.
 */
try {
  const { mcp, dataDir } = loadConfig();
  const server = createMcpServer(
    createApiClient({ url: mcp.url, key: mcp.key ?? (await localKey(mcp, dataDir)) }),
  );
  await server.connect(new StdioServerTransport());
  // The agent is gone. Its jobs go on: it did not cancel them.
  process.stdin.on('end', () => process.exit(0));
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/** The key that `npm start` left in its folder, for the API of this machine and no other. */
async function localKey({ isLocal }: Config['mcp'], dataDir: string): Promise<string> {
  const file = join(dataDir, 'api-key');
  const key = isLocal ? await readFile(file, 'utf8').catch(() => '') : '';
  if (key.trim() !== '') return key.trim();
  throw new OperatorError(
    `configuration: LEADENGINE_API_KEY is not set${isLocal ? `, and there is no key in ${file}` : ''}: set it to an API key of the server`,
  );
}
