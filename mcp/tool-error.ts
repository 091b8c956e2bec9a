import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ErrorInfo } from '../core/errors.ts';

export const errorText = ({ code, message }: ErrorInfo): string => `${code}: ${message}`;

/** An error that the agent can read and act upon, unlike an error of the protocol. */
export const toolError = (info: ErrorInfo): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text: `Error ${errorText(info)}` }],
});
