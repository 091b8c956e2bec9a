/**
 * Whether a JSON number keeps its value as a double: `1.50` and `15e-1` do, 9007199254740993 and
 * 1e400 do not.
 */
export function isExact(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && decimal(text) === decimal(String(value));
}

/** Normal form of a number: its digits without outer zeros, and the last digit's power of ten. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = `${whole}${fraction}`;
  let last = digits.length;
  while (last > 0 && digits[last - 1] === '0') last -= 1;
  let first = 0;
  while (first < last && digits[first] === '0') first += 1;
  if (first === last) return '0';
  return `${sign}${digits.slice(first, last)}e${Number(power) - fraction.length + digits.length - last}`;
}
