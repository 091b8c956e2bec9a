import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { ApiError } from '../api-client.ts';
import { type Call, MOST_SECONDS } from '../jobs.ts';
import { toolError } from '../tool-error.ts';

export interface Tool<Input extends z.ZodObject, Output extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  input: Input;
  output: Output;
  annotations: ToolAnnotations;
  run(args: z.output<Input>, call: Call): Promise<Result<z.input<Output>>>;
}

/** The same twice: for an agent to read, and for a program. */
interface Result<Structured> {
  text: string;
  structured: Structured;
}

/** Registers a tool whose API errors become tool errors, which the agent can read. */
export function addTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  server: McpServer,
  { name, title, description, input, output, annotations, run }: Tool<Input, Output>,
): void {
  const answer = async (args: unknown, call: Call): Promise<CallToolResult> => {
    try {
      const { text, structured } = await run(args as z.output<Input>, call);
      return { content: [{ type: 'text', text }], structuredContent: structured as Record<string, unknown> };
    } catch (error) {
      if (error instanceof ApiError) return toolError(error.info);
      throw error;
    }
  };
  // As ZodObject: the SDK's types would follow each schema to its end.
  const schemas: { inputSchema: z.ZodObject; outputSchema: z.ZodObject } = {
    ...{ inputSchema: input, outputSchema: output },
  };
  server.registerTool(name, { title, description, ...schemas, annotations }, answer);
}

/** Reads what is stored. */
export const READS: ToolAnnotations = { readOnlyHint: true, openWorldHint: false };

/** Loads pages from the web and stores a job: nothing that exists is changed. */
export const LOADS: ToolAnnotations = {
  ...{ readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
};

export const jobId = z
  .uuid('expected the job_id of an earlier answer')
  .describe('job_id of an earlier answer');

export const waitSeconds = (fallback: number) =>
  z
    .int()
    .min(0)
    .max(MOST_SECONDS)
    .default(fallback)
    .describe('How long to wait for the job; it goes on afterwards');
