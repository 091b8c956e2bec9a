/**
 * As SQL, the first or last hour of a day set in a mask such as `link_visitors.hours_mask` (one bit
 * per hour, hour 0 the lowest); 24 if none is set.
 */
export const bitHour = (mask: string, which: 'first' | 'last'): string =>
  which === 'first'
    ? `24 - length(rtrim((${mask})::bit(24)::text, '0'))`
    : `24 - position('1' IN (${mask})::bit(24)::text)`;
