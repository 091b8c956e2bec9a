/** What of an extraction's input decides it. */
interface Asked {
  title: string | null;
  formats: readonly string[];
  fields?: Record<string, unknown> | undefined;
}

/** Whether the HTML must be parsed: not for `raw_html` alone. */
export const needsDocument = (input: Asked): boolean =>
  input.title === null || hasFields(input) || READS_DOCUMENT.some((format) => input.formats.includes(format));

export const hasFields = ({ fields }: Pick<Asked, 'fields'>): boolean => Object.keys(fields ?? {}).length > 0;

export const READS_CONTENT = ['markdown', 'html', 'text'] as const;
const READS_DOCUMENT = [...READS_CONTENT, 'links', 'metadata', 'contacts'] as const;
