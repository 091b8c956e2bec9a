/**
 * In `link_visitors` the hours of a day in which somebody was there are bits, hour 0 the lowest. As SQL: the first or last such hour; 24
 * where there is none.
 */
export const bitHour = (hours: string, which: 'first' | 'last'): string =>
  which === 'first'
    ? `24 - length(rtrim((${hours})::bit(24)::text, '0'))`
    : `24 - position('1' IN (${hours})::bit(24)::text)`;
