/** Kinds of files that are read as pages. */
export type FileKind =
  | 'pdf'
  | 'docx'
  | 'xlsx'
  | 'pptx'
  | 'opendocument'
  | 'epub'
  | 'rtf'
  | 'image'
  /** Protected by a password: recognized by its container. */
  | 'encrypted';

/** The kind of a file by its content; null for any other. */
export function fileKindOf(bytes: Uint8Array): FileKind | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (head.subarray(0, 1024).includes('%PDF-')) return 'pdf';
  if (head.subarray(0, 5).toString('latin1') === '{\\rtf') return 'rtf';
  if (head.subarray(0, 4).equals(ZIP)) return zippedKind(head);
  if (head.subarray(0, 8).equals(COMPOUND)) return compoundKind(head);
  return isImage(head) ? 'image' : null;
}

const ZIP = Buffer.from('PK\x03\x04');
const COMPOUND = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** By the names of its entries, which the central directory at the end repeats. */
function zippedKind(bytes: Buffer): FileKind | null {
  const head = bytes.subarray(0, 4096);
  const type = /mimetypeapplication\/([\w.+-]+)/.exec(head.toString('latin1'))?.[1] ?? '';
  if (/^epub\+zip/.test(type)) return 'epub';
  if (/^vnd\.oasis\.opendocument\.spreadsheet/.test(type)) return 'xlsx';
  if (/^vnd\.oasis\.opendocument\.(text|presentation)/.test(type)) return 'opendocument';
  const names = bytes.subarray(-MAX_DIRECTORY);
  if (names.includes('word/document')) return 'docx';
  if (names.includes('xl/workbook')) return 'xlsx';
  if (names.includes('ppt/presentation')) return 'pptx';
  if (names.includes('META-INF/container.xml')) return 'epub';
  return null;
}

const MAX_DIRECTORY = 1024 * 1024;

/** The older office formats, and the container of encrypted files of the newer ones. */
function compoundKind(bytes: Buffer): FileKind | null {
  const has = (name: string) => bytes.includes(Buffer.from(name, 'utf16le'));
  if (has('EncryptedPackage')) return 'encrypted';
  return has('Workbook') || has('Book') ? 'xlsx' : null;
}

function isImage(head: Buffer): boolean {
  const mark = head.subarray(0, 12).toString('latin1');
  return (
    mark.startsWith('\x89PNG\r\n\x1a\n') ||
    mark.startsWith('\xff\xd8\xff') ||
    /^GIF8[79]a/.test(mark) ||
    /^RIFF[\s\S]{4}WEBP/.test(mark) ||
    /^[\s\S]{4}ftypavi[fs]/.test(mark) ||
    /^(II\*\0|MM\0\*)/.test(mark) ||
    (mark.startsWith('BM') && head.length > 26 && head.readUInt32LE(6) === 0)
  );
}
